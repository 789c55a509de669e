"""The desired state of each device with its answer, and the releases: their tables and rows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import sqlalchemy as sa

from gateway.database.tables import metadata
from gateway.devices import broker_trust
from gateway.devices import release as releases
from gateway.devices.broker_trust import Given
from gateway.devices.release import Release

desired = sa.Table(
    "desired",
    metadata,
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("n", sa.Integer, nullable=False),  # of the ``down`` in force
    sa.Column("set", sa.JSON, nullable=False),  # absent settings have the board's own values
    sa.Column("once", sa.JSON, nullable=False),  # [{"id", "do", "n": its first ``down``}]
    sa.Column("release", sa.Text),  # the desired release
    sa.Column("release_n", sa.Integer),  # the first ``down`` with it
)
"""One row for each device that ever got a command."""

release = sa.Table(
    "release",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # SHA-256 of the bundle
    sa.Column("bundle", sa.LargeBinary, nullable=False),
)


def release_floor(connection: sa.Connection, board: str) -> int:
    """The highest floor of the releases kept here that fit ``board``; 0 without one."""
    bundles = connection.scalars(sa.select(release.c.bundle))
    fitting = (one for one in map(releases.open_release, bundles) if one.board in ("any", board))
    return max((one.floor for one in fitting), default=0)


parts_at_broker = sa.Table(
    "parts_at_broker",
    metadata,
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("release", sa.Text, nullable=False),
)
"""The devices whose parts are retained at the broker, to be cleared after the update."""

answer = sa.Table(
    "desired_answer",
    metadata,
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("n", sa.Integer, nullable=False),  # of the answered ``down``
    sa.Column("era", sa.Text, nullable=False),
    sa.Column("boot", sa.Integer, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("ok", sa.Boolean, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("received", sa.Float, nullable=False),
)
"""The answer of each device to its highest ``n``; of several, the one that it sent last."""

Progress: TypeAlias = Literal["waiting", "in_force", "loading", "refused"]
_LOADING = ("update", "tls")
"""The answer's code when only the release, or a connection through a new port or CA, is missing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The device's answer to ``down`` number ``n``; ``code`` names the part that failed."""

    n: int
    ok: bool
    code: str
    received: float


@dataclass(frozen=True, slots=True)
class DesiredState:
    """``settings`` is the complete ``set``; ``orders`` are the unanswered ones, as in ``once``."""

    device: str
    n: int
    settings: Mapping[str, int]
    orders: tuple[Mapping[str, object], ...]
    release: str | None
    release_n: int
    answer: Answer | None
    trust: Given | None = None

    @property
    def progress(self) -> Progress:
        """Whether the device has answered this state, and how."""
        if self.answer is None or self.answer.n < self.n:
            return "waiting"
        if self.answer.ok:
            return "in_force"
        return "loading" if self.answer.code in _LOADING else "refused"

    @property
    def needs_parts(self) -> bool:
        """Whether the device still needs the release's parts."""
        return self.release is not None and not self.release_answered

    @property
    def release_answered(self) -> bool:
        """Whether the device reported the end of the update: the release runs, or was refused."""
        if self.answer is None or self.answer.n < self.release_n:
            return False
        # A node names the release first: another code means that none is missing.
        return self.answer.ok or self.answer.code.startswith(("update_", "tls"))

    @property
    def offered(self) -> str:
        """The name of port and CAs in its ``down``; empty without: what is in force stays."""
        return self.trust.trust.name if self.trust is not None and not self.trust.held else ""

    def down_object(self, release: Release | None, tls_port: int | None = None) -> bytes:
        """The OBJECT of its ``down``; ``release`` is the one that ``self.release`` names.

        A port and CAs are in it until the device holds them, where the broker has TLS at that port.
        """
        members: dict[str, object] = {
            "v": 1,
            "n": self.n,
            "set": dict(self.settings),
            "once": [{k: v for k, v in order.items() if k != "n"} for order in self.orders],
        }
        if release is not None:
            members["update"] = release.update_member(self.release_n)
        if self.offered and self.trust is not None and self.trust.trust.port == tls_port:
            members["tls"] = self.trust.member()
        return json.dumps(members, separators=(",", ":")).encode("ascii")


def load(connection: sa.Connection, device: str | None = None) -> dict[str, DesiredState]:
    """The desired state of every device, or of one, by device."""
    answers = (answer.c[name].label(f"answer_{name}") for name in ("n", "ok", "code", "received"))
    query = sa.select(desired, *answers).join_from(
        desired, answer, desired.c.device == answer.c.device, isouter=True
    )
    if device is not None:
        query = query.where(desired.c.device == device)
    trusts = broker_trust.load(connection, device)
    found: dict[str, DesiredState] = {}
    for row in connection.execute(query).mappings():
        answered = None
        if row["answer_n"] is not None:
            answered = Answer(
                row["answer_n"], row["answer_ok"], row["answer_code"], row["answer_received"]
            )
        found[row["device"]] = DesiredState(
            device=row["device"],
            n=row["n"],
            settings=row["set"],
            orders=tuple(row["once"]),
            release=row["release"],
            release_n=row["release_n"] or 0,
            answer=answered,
            trust=trusts.get(row["device"]),
        )
    return found


def load_release(connection: sa.Connection, wanted: str) -> Release:
    """The stored release with that id. Raises ReleaseError when it is damaged."""
    bundle = connection.scalar(sa.select(release.c.bundle).where(release.c.id == wanted))
    return releases.open_release(bytes(bundle or b""))
