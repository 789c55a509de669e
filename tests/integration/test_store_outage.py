"""InfluxDB is killed during writes and restarted: no reading is lost."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gateway.projections.readings.projection import ReadingsProjection
from gateway.projections.runner import Runner
from gateway.registry import rows
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup
from gateway.stores.influxdb import Access, InfluxStore
from tests.integration.lines import unusable
from tests.integration.signing_device import T0, Gateway, SigningDevice, distance
from tests.parts.influxdb_service import influxdb as running_influxdb
from tests.parts.services import listening, until


@pytest.mark.parametrize("line", ["1.8", "2.9"])
def test_nothing_is_lost_while_influxdb_is_killed(line: str, tmp_path: Path) -> None:
    gateway, node, wake = Gateway(tmp_path), SigningDevice(), Wakeup()
    engine = gateway.engine

    with running_influxdb(line, tmp_path / "influx") as server:
        access = Access(server.url, server.org, server.bucket, server.token)
        store = InfluxStore(access, lambda: rows.load(engine), unusable)
        runner = Runner(
            ReadingsProjection(store, gateway.reader, engine),
            gateway.reader,
            engine,
            wake,
            Clock(),
            batch=7,
        )

        def receive(first: int, last: int) -> None:
            for n in range(first, last):
                gateway.receive(node.send(T0 + 60 * n, distance(400 + n)))
                wake.notify()

        runner.start()
        receive(0, 40)
        server.service.kill()
        receive(40, 80)
        until(lambda: runner.trouble is not None and "cannot be reached" in runner.trouble, 40)
        assert runner.lag() > 0
        server.service.start(lambda: listening(urlsplit(server.url).port or 0))
        receive(80, 100)
        until(lambda: runner.lag() == 0, 40)
        runner.stop()
        assert [row.seq for row in store.export()] == list(range(1, 101))
        store.close()
    gateway.close()
