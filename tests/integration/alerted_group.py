"""A group of persons with two services, whose alerts a test drives by hand."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gateway.alerts import claims
from gateway.alerts.channels import TransportError
from gateway.alerts.language import Language
from gateway.alerts.outbox import AlertWording
from gateway.alerts.people import contacts
from gateway.alerts.people.dispatch import PEOPLE, Dispatch
from gateway.alerts.people.keys import Key
from gateway.alerts.people.notices import NoticeDelivery
from gateway.alerts.tables import dispatch, listening, notice, shift
from gateway.database.tables import account
from gateway.domain.outputs import IncidentChange, IncidentKind
from gateway.domain.registry import Registry, Site, Tank
from gateway.projections.watch.rows import OutputContext, write_output
from gateway.registry import rows
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup
from tests.parts import database

NOW = 1795212000.0  # Friday 20 November 2026, 23:00 in Paris
MINUTE = 60.0
WORDING = AlertWording(Language("en", "Europe/Paris"), "https://noria.example")
KEY = Key(bytes(range(32)))


@dataclass
class Sink:
    """A service that keeps what it is given, and fails as told."""

    name: str
    sent: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    error: TransportError | None = None

    def send(self, address: str, text: str, title: str) -> None:
        if self.error is not None:
            raise self.error
        self.sent.append((address, text))


@dataclass(frozen=True)
class Keys:
    key: Key | None

    def get(self) -> Key | None:
        return self.key


def registered(folder: Path) -> sa.Engine:
    """A database with one site and one tank."""
    engine = database.opened(folder)
    watched = Registry(
        sites={"north": (Site("north", ""),)},
        tanks={"canal-1": (Tank("canal-1", "", "north", name="Canal 1", sensor_height_mm=1100),)},
    )
    with engine.begin() as connection:
        rows.put(connection, watched, NOW)
    return engine


class Group:
    """A group with a mail and an SMS service, driven by hand."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.ids: dict[str, str] = {}
        self.mail, self.sms = Sink("mail"), Sink("sms")
        self.key: Key | None = KEY
        zone = WORDING.language.zone
        self.dispatch = Dispatch(engine, Clock(), zone, Wakeup(), ["mail", "sms"])

    def person(self, name: str, role: str = "volunteer", sms: bool = False) -> str:
        """Add a person with a verified mail address."""
        self.ids[name] = f"id-{name}"
        row = {"id": self.ids[name], "name": name, "login": name, "role": role, "created": NOW}
        with self.engine.begin() as connection:
            connection.execute(sa.insert(account).values(**row, password="-"))
            for service in ("mail", "sms")[: 2 if sms else 1]:
                given = contacts.add(connection, KEY, self.ids[name], service, f"{name}@x.org", NOW)
                contacts.verify(connection, KEY, self.ids[name], given[0].id, given[1], NOW)
        return self.ids[name]

    def hears(self, name: str, **values: object) -> None:
        """Choose what a person hears."""
        row = {"language": "en", "sites": [], "groups": ["water", "theft", "sensor"],
               "quiet_from": None, "quiet_until": None, "per_hour": 6}  # fmt: skip
        with self.engine.begin() as connection:
            connection.execute(sa.insert(listening).values(account=self.ids[name], **row | values))

    def on_shift(self, name: str, start: int = 0, minutes: int = 1440) -> None:
        row = {"id": f"s-{name}", "account": self.ids[name], "weekdays": [4, 5],
               "start": start, "minutes": minutes, "since": "2026-01-01"}  # fmt: skip
        with self.engine.begin() as connection:
            connection.execute(sa.insert(shift).values(**row))

    def change(
        self, number: int = 1, kind: IncidentKind = "low", closed: bool = False, at: float = NOW,
        id: str = "8f2k",
    ) -> None:  # fmt: skip
        """The watch writes a change of an incident at Canal 1."""
        what = "closed" if closed else "opened" if number == 1 else "updated"
        made = IncidentChange(
            id=id, change=what, change_number=number, at=at, received=at, tank="canal-1",
            uplink=None, kind=kind, probability=0.7, causes={"unknown": 1.0}, because=(),
            auth="mac", alert=True, figures={"volume_l": 940.0 if closed else 302.0},
        )  # fmt: skip
        with self.engine.begin() as connection:
            write_output(connection, [made], [], OutputContext([PEOPLE], {"canal-1": "rid"}))

    def go(self, name: str, at: float, eta: float | None = None, incident: str = "8f2k") -> None:
        with self.engine.begin() as connection:
            assert claims.claim(connection, incident, self.ids[name], at, eta)

    def at(self, now: float) -> list[str]:
        """Decide and send what is due at ``now``; returns the names of those who were sent one."""
        self.dispatch.decide_due(now)
        before = len(self.mail.sent), len(self.sms.sent)
        for sink in (self.mail, self.sms):
            NoticeDelivery(self.engine, sink, Keys(self.key), Clock(), WORDING).deliver_due(now)
        new = self.mail.sent[before[0] :] + self.sms.sent[before[1] :]
        return sorted(address.partition("@")[0] for address, _ in new)

    def due(self) -> float | None:
        """When something is next to be decided or sent."""
        query = sa.select(
            sa.select(sa.func.min(dispatch.c.due)).scalar_subquery(),
            sa.select(sa.func.min(notice.c.due))
            .where(notice.c.sent.is_(None), notice.c.given_up.is_(None))
            .scalar_subquery(),
        )
        with self.engine.connect() as connection:
            return min((at for at in connection.execute(query).one() if at), default=None)

    def restart(self) -> None:
        """The gateway ends and begins again: what it knew is in the database."""
        self.dispatch = Dispatch(
            self.engine, Clock(), WORDING.language.zone, Wakeup(), ["mail", "sms"]
        )

    def rows(self, table: sa.Table) -> list[sa.Row[Any]]:
        with self.engine.connect() as connection:
            return list(connection.execute(sa.select(table).order_by(table.c[0])).all())
