"""What is wrong with the messages of each feed, for status and health."""

from collections.abc import Mapping

from gateway.database.feed_problems import FeedProblem


class FeedProblems:
    """Since the start of the gateway, by device. Used by the ingest thread alone."""

    def __init__(self) -> None:
        self._found: dict[str, FeedProblem] = {}
        self._last_good: dict[str, float] = {}
        self.changes = 0

    def note(self, device: str, problem: str, received: float, every_s: float) -> None:
        """A message that came at ``received`` (Unix s) has this problem, "" when it has none.

        A problem lasts once nothing has been readable for ``every_s``, the feed's promise.
        """
        before = self._found.get(device)
        if not problem:
            self._last_good[device] = received
            if before is None or not before.lasts:
                return
            self._found[device] = before._replace(lasts=False)
        else:
            since = self._last_good.setdefault(device, received)
            number = before.number + 1 if before else 1
            self._found[device] = FeedProblem(number, problem, received - since >= every_s)
        self.changes += 1

    @property
    def found(self) -> Mapping[str, FeedProblem]:
        """The newest problem of each device that had one."""
        return self._found
