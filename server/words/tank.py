"""One tank as a row, a block or a table line: words, icons and figures, ready for a template."""

from dataclasses import dataclass

from markupsafe import Markup

from gateway.domain.outputs import TankNow
from server.views import picture
from server.views.incident import Incident
from server.views.picture import Glyph
from server.views.snapshot import Snapshot, TankView
from server.words import incident as incident_words
from server.words.language import PageLanguage, mark
from server.words.page import IconText

STEADY_LPH = 5.0
FAST_SHARE = 0.1  # of the capacity in an hour: from here on the double arrow
HOUR_S = 3600.0
_FILLED_S = 12 * HOUR_S
_NO_INCIDENT = {"low": mark("Low"), "critical": mark("Nearly empty"), "empty": mark("Empty")}


@dataclass(frozen=True, slots=True)
class Card:
    """One tank in words and drawings. ``tone``: taken, dry, low or none.

    ``status`` is the state (none when fine), with ``icon`` before it in a heading and
    ``row_icon`` in a list; ``soon`` is when the tank will be low.
    """

    view: TankView
    id: str
    name: str
    href: str
    seen: bool
    glyph: Glyph
    tone: str
    status: IconText | None
    icon: str
    row_icon: str
    soon: str
    note: IconText | None
    lead: str
    litres: str
    share: str
    age: Markup
    who: str
    trend: IconText | None
    rate: str


def card(language: PageLanguage, snapshot: Snapshot, view: TankView) -> Card:
    """Everything that lists and headings show of one tank."""
    known, now = view.now, snapshot.now
    who = snapshot.person(view.incident.claimed_by) if view.incident else None
    drawn, status = picture.glyph(view), _status(language, view, now)
    return Card(
        view=view, id=view.tank.id, name=view.name, href=f"/tanks/{view.tank.id}", seen=view.seen,
        glyph=drawn, tone=_tone(view), status=status,
        icon=status.icon if status and drawn.shape != "taken" else "",
        row_icon=status.icon if status and view.seen else "", soon=_soon(language, view, now),
        note=_note(language, view, who, now), lead=_lead(language, view),
        litres="" if known.volume_l is None else language.litres(known.volume_l),
        share=share(language, view) if view.seen else "",
        age=Markup("") if known.at is None else language.aged(known.at, now),
        who="" if view.is_filling and view.incident and view.incident.claimed_by is None
        else _short_who(language, view.incident, who, now),
        trend=trend(language, known, view.tank.capacity_l) if view.seen else None,
        rate="" if known.trend_lph is None or abs(known.trend_lph) < STEADY_LPH
        else language.rate(known.trend_lph),
    )  # fmt: skip


def share(language: PageLanguage, view: TankView) -> str:
    """How full: ``48 %``, or ``7 of 12 full`` for a station of cans."""
    tank, known = view.tank, view.now
    if tank.kind == "station" and tank.cans and known.volume_l is not None:
        full = min(int(known.volume_l // (tank.can_l or 20.0)), tank.cans)
        return language.text("{n} of {all} full", n=full, all=tank.cans)
    return "" if known.pct is None else language.percent(known.pct)


def _lead(language: PageLanguage, view: TankView) -> str:
    if not view.seen:
        return language.text("was")
    return language.text("under") if view.now.state == "empty" else language.text("about")


def _tone(view: TankView) -> str:
    if view.is_filling:
        return "low"
    if view.incident is not None:
        return incident_words.KINDS[view.incident.kind].tone
    if not view.seen:
        return ""
    return {"low": "low", "critical": "dry", "empty": "dry"}.get(view.now.state, "")


def _status(language: PageLanguage, view: TankView, now: float) -> IconText | None:
    if view.is_filling:
        return IconText(language.text("Being filled"), "refill")
    if view.incident is not None and (view.live or view.is_disturbed):
        return IconText(
            incident_words.word(language, view.incident, now),
            incident_words.KINDS[view.incident.kind].icon,
        )
    if not view.seen:
        return _unseen(language, view)
    message = _NO_INCIDENT.get(view.now.state)
    return None if message is None else IconText(language.text(message), view.now.state)


def _unseen(language: PageLanguage, view: TankView) -> IconText:
    if not view.live and view.now.state in ("low", "critical", "empty"):
        return IconText(language.text("Was low, may be dry"), "low")
    if view.now.state == "fault":
        return IconText(language.text("Sensor fault"), "fault")
    if view.network is None and view.now.presence == "silent" and view.live:
        return IconText(language.text("Silent"), "silent")
    if view.now.at is None:
        return IconText(language.text("Not heard yet"))
    return IconText(language.text("Unknown"))


def _soon(language: PageLanguage, view: TankView, now: float) -> str:
    if not view.seen or view.incident is not None or view.now.state != "ok":
        return ""
    if view.now.low_at is None:
        return ""
    return language.text("Low {when}", when=language.window(view.now.low_at, now))


def _note(language: PageLanguage, view: TankView, who: str | None, now: float) -> IconText | None:
    incident, known = view.incident, view.now
    if incident is not None and incident.claimed_by is not None:
        return IconText(_short_who(language, incident, who, now), "van")
    if not view.seen:
        return _since(language, view, now)
    if _was_just_filled(known, now):
        time = language.moment(known.last_refill_at or now, now)
        return IconText(language.text("filled {time}", time=time), "refill")
    return trend(language, known, view.tank.capacity_l)


def _was_just_filled(known: TankNow, now: float) -> bool:
    """Within the hour, or within half a day while the level has not begun to fall."""
    if known.last_refill_at is None or known.state != "ok":
        return False
    age_s, falls = now - known.last_refill_at, (known.trend_lph or 0.0) <= -STEADY_LPH
    return age_s < (HOUR_S if falls else _FILLED_S)


def _since(language: PageLanguage, view: TankView, now: float) -> IconText | None:
    since = view.network.at if view.network else (view.now.received or view.now.at)
    if since is None:
        return None
    time = language.moment(since, now)
    if view.is_disturbed:
        return IconText(language.text("no word since {time}", time=time))
    return IconText(language.text("since {time}", time=time))


def trend(language: PageLanguage, known: TankNow, capacity_l: float) -> IconText | None:
    """Falling, rising or steady, with the rate."""
    lph = known.trend_lph
    if lph is None:
        return None
    if abs(lph) < STEADY_LPH:
        return IconText(language.text("steady"), "steady")
    icon = "rising" if lph > 0 else "fast" if -lph > FAST_SHARE * capacity_l else "falling"
    return IconText(language.text("about {rate}", rate=language.rate(lph)), icon)


def _short_who(
    language: PageLanguage, incident: Incident | None, who: str | None, now: float
) -> str:
    if incident is None:
        return ""
    if incident.claimed_by is None:
        return language.text("nobody yet")
    name = who or language.text("Somebody")
    if incident.claim_eta is None or incident.claim_eta < now:
        return name
    time = language.moment(incident.claim_eta, now)
    return language.text("{name}, about {time}", name=name, time=time)


def sentence(language: PageLanguage, view: TankView, now: float) -> str:
    """The line under a tank's name: ``Fine now. Low today between 17 and 20 h.``"""
    known = view.now
    if known.at is None:
        return language.text("Its sensor has not spoken yet.")
    if not view.live:
        return language.text("This is the last we know, not how it is now.")
    if view.network is not None:
        return language.text("Its network is out. The level is unknown, not empty.")
    if known.state == "fault":
        return language.text("The sensor’s figures cannot be believed. The level is unknown.")
    if not view.seen:
        return language.text("Nobody can see its level now. It is unknown, not empty.")
    word = language.text("Fine now.") if known.state == "ok" else ""
    if known.state == "ok" and known.low_at is not None:
        low = language.text("Low {when}.", when=language.between(known.low_at, now))
        return f"{word} {low}"
    if known.empty_at is not None and known.state != "empty":
        empty = language.text("Empty {when}.", when=language.between(known.empty_at, now))
        return f"{word} {empty}".strip()
    return word


def who(
    language: PageLanguage, view: TankView, incident: Incident, person: str | None, now: float
) -> str:
    """Whether somebody goes; nobody has to while the tank is being filled."""
    if view.is_filling and incident.claimed_by is None:
        return language.text("Nobody else is needed.")
    return incident_words.who(language, incident, person, now)


def situation(language: PageLanguage, view: TankView, now: float) -> Markup:
    """The sentence of an urgent block: the newest level for water, else what happened."""
    incident, known = view.incident, view.now
    assert incident is not None
    newest = incident.kind in ("low", "critical") or view.is_filling
    if not newest or known.volume_l is None or known.at is None:
        return incident_words.what(language, incident, now)
    litres, age = language.litres(known.volume_l), language.aged(known.at, now)
    how_full = share(language, view)
    if how_full:
        text = language.rich(
            "**About {litres}** ({share}), {age}.", litres=litres, share=how_full, age=age
        )
    else:
        text = language.rich("**About {litres}**, {age}.", litres=litres, age=age)
    if view.is_filling:
        return text + " " + language.rich("This ends by itself once the level is steady.")
    if known.empty_at is None or incident.claimed_by is not None:
        return text
    return text + " " + language.rich("Empty {when}.", when=language.between(known.empty_at, now))
