"""A group with a rota, whose members act through the server's pages."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from fastapi.testclient import TestClient

from gateway.alerts.people.listeners import turns
from gateway.alerts.tables import shift
from gateway.database.tables import fact
from server.views import rota as view
from tests.browser.accounts import PASSWORD
from tests.browser.scenes import Scene

PARIS = ZoneInfo("Europe/Paris")


@dataclass
class Group:
    """Sam, who coordinates, and two vans; each with a session."""

    scene: Scene
    client: TestClient
    ids: dict[str, str]
    sessions: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    form: str = ""

    def enter(self, login: str) -> None:
        self.client.cookies.clear()
        if login not in self.sessions:
            form = token(self.client.get("/sign-in").text)
            self.client.post(
                "/sign-in", data={"login": login, "password": PASSWORD, "form": form}
            )  # fmt: skip
            self.sessions[login] = (self.client.cookies["noria-session"], token(self.get("/more")))
        session, self.form = self.sessions[login]
        self.client.cookies.set("noria-session", session)

    def get(self, path: str) -> str:
        return self.client.get(path).text

    def post(self, login: str, path: str, **data: str | list[str]) -> int:
        self.enter(login)
        return self.client.post(path, data={"form": self.form, **data}).status_code

    def turn(self, login: str, act: str, **data: str) -> int:
        """Act on the turn of tomorrow of the first shift."""
        return self.post(login, f"/rota/turns/{self.shift()}/{self.tomorrow}/{act}", **data)

    @property
    def tomorrow(self) -> date:
        return datetime.fromtimestamp(self.scene.now, PARIS).date() + timedelta(days=1)

    def shift(self) -> str:
        with self.scene.engine.connect() as connection:
            return connection.execute(sa.select(shift.c.id)).scalars().one()

    def holder(self) -> str | None:
        """The login of who has tomorrow's turn."""
        start = view.midnight(self.tomorrow, PARIS)
        with self.scene.engine.connect() as connection:
            found = turns(connection, start, start + 86400, PARIS)
        logins = {person: login for login, person in self.ids.items()}
        return next((logins[t.person] for t in found if t.day == self.tomorrow), None)

    def facts(self) -> list[dict[str, Any]]:
        with self.scene.engine.connect() as connection:
            query = sa.select(fact.c.body).where(fact.c.kind == "op").order_by(fact.c.id)
            bodies = connection.execute(query).scalars().all()
        return [body for body in bodies if "shift" in body]


def token(page: str) -> str:
    return page.split('name="form" value="')[1].split('"')[0]
