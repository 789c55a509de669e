"""Answers that anybody may ask for, worked out once for everybody."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

KEPT_S = 2.0
"""Anybody may ask how it stands, so the answer is not worked out anew for each."""

_T = TypeVar("_T")


class Kept(Generic[_T]):
    """An answer that serves everybody for a moment; one thread at a time works it out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: tuple[float, _T] | None = None

    def get(self, make: Callable[[], _T]) -> _T:
        """The answer, at most ``KEPT_S`` old."""
        with self._lock:
            if self._made is None or time.monotonic() - self._made[0] >= KEPT_S:
                self._made = (time.monotonic(), make())
            return self._made[1]
