"""One device's desired state with its answer: read, and as the OBJECT of its ``down``."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import sqlalchemy as sa

from gateway.devices.tables import answer, desired, release

if TYPE_CHECKING:
    from gateway.devices.release import Release

Standing: TypeAlias = Literal["waiting", "in_force", "loading", "refused"]
LOADING = "update"
"""The code by which a node says that all is in force but the release, which it fetches."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the device said of ``down`` number ``n``; ``code`` names what it could not do."""

    n: int
    ok: bool
    code: str
    received: float


@dataclass(frozen=True, slots=True)
class Desired:
    """``settings`` is the whole ``set``; ``once`` the orders that still stand."""

    device: str
    n: int
    settings: Mapping[str, int]
    once: tuple[Mapping[str, Any], ...]
    release: str | None
    release_n: int
    answer: Answer | None

    @property
    def standing(self) -> Standing:
        """Whether the device has answered this state, and how."""
        said = self.answer
        if said is None or said.n < self.n:
            return "waiting"
        if said.ok:
            return "in_force"
        return "loading" if said.code == LOADING else "refused"

    @property
    def fetching(self) -> bool:
        """Whether the device still needs the release's parts."""
        return self.release is not None and not self.release_ended

    @property
    def release_ended(self) -> bool:
        """Whether the device told the end of the release's story: it runs, or was refused."""
        said = self.answer
        if said is None or said.n < self.release_n:
            return False
        return said.ok or said.code.startswith("update_")

    def object(self, wanted: "Release | None") -> bytes:
        """The OBJECT of its ``down``; ``wanted`` is the release that ``release`` names."""
        given: dict[str, Any] = {
            "v": 1,
            "n": self.n,
            "set": dict(self.settings),
            "once": [{k: v for k, v in order.items() if k != "n"} for order in self.once],
        }
        if wanted is not None:
            given["update"] = wanted.wanted(self.release_n)
        return json.dumps(given, separators=(",", ":")).encode("ascii")


def load(connection: sa.Connection, device: str | None = None) -> dict[str, Desired]:
    """Every device's desired state, or one's."""
    rows = sa.select(desired, answer.c.n.label("said"), answer.c.ok, answer.c.code,
                     answer.c.received).join_from(
        desired, answer, desired.c.device == answer.c.device, isouter=True
    )  # fmt: skip
    if device is not None:
        rows = rows.where(desired.c.device == device)
    return {row.device: _of(row) for row in connection.execute(rows)}


def _of(row: sa.Row[Any]) -> Desired:
    said = None
    if row.said is not None:
        said = Answer(row.said, row.ok, row.code, row.received)
    values = row._mapping  # pyright: ignore[reportPrivateUsage] - SQLAlchemy's public name for it
    return Desired(
        device=row.device,
        n=row.n,
        settings=values["set"],
        once=tuple(row.once),
        release=row.release,
        release_n=row.release_n or 0,
        answer=said,
    )


def load_release(connection: sa.Connection, wanted: str) -> "Release":
    """The release that we keep under that id. Raises ReleaseError when it is damaged."""
    from gateway.devices import release as releases  # and cryptography: pages only name releases

    bundle = connection.scalar(sa.select(release.c.bundle).where(release.c.id == wanted))
    return releases.open_release(bytes(bundle or b""))
