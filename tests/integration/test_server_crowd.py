"""Many at once: sign-ins hurt neither memory nor the pages of those who are signed in."""

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.served import Answer, Served, ask, served

SIGN_INS = 80
MOST_MB = 300
SLOWEST_S = 1.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as running:
        yield running


def resident_mb(server: Served) -> float:
    status = Path(f"/proc/{server.service.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


class Reader:
    """A signed-in person who loads a page again and again, and the server's memory meanwhile."""

    def __init__(self, server: Served) -> None:
        self.took: list[float] = []
        self.most_mb = 0.0
        self._server, self._stop = server, threading.Event()
        self._cookie = server.bearer("van-2")["Authorization"]
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> "Reader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        with self._server.connect() as connection:
            while not self._stop.is_set():
                began = time.perf_counter()
                answer = ask(connection, "/", f"Authorization: {self._cookie}")
                self.took.append(time.perf_counter() - began)
                assert answer.status == 200
                self.most_mb = max(self.most_mb, resident_mb(self._server))
                time.sleep(0.01)


def test_eighty_sign_ins_at_once_leave_memory_and_pages_as_they_are(server: Served):
    def sign_in(number: int) -> Answer:
        with server.connect(60.0) as connection:
            together.wait()
            given = {"login": f"nobody-{number}", "password": "guess"}
            return ask(connection, "/api/v1/session", body=json.dumps(given))

    together = threading.Barrier(SIGN_INS)
    with Reader(server) as reader, ThreadPoolExecutor(SIGN_INS) as strangers:
        answers = list(strangers.map(sign_in, range(SIGN_INS)))
        time.sleep(0.5)
    counted = Counter(answer.status for answer in answers)
    reader.took.sort()
    slow = reader.took[int(len(reader.took) * 0.99)]
    print(f"{counted}; {len(reader.took)} pages, p99 {slow:.2f} s; {reader.most_mb:.0f} MB")
    assert set(counted) <= {403, 429, 503}
    assert counted[403] >= 8
    assert counted[503] > 0
    for answer in answers:
        assert (answer.status == 403) != ("retry-after: " in answer.head)
    assert slow <= SLOWEST_S
    assert reader.most_mb <= MOST_MB
