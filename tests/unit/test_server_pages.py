"""The typed views of pages: buttons, figures, drawings, and who may do what."""

from dataclasses import replace

import pytest

from gateway.domain.outputs import Because, Span, TankNow
from gateway.domain.registry import Registry, Site, Tank
from server.accounts.people import Person
from server.views import picture
from server.views.freshness import Freshness
from server.views.incident import Incident
from server.views.snapshot import Snapshot, TankView
from server.words import home, incident_page, page, sensors, tank, tank_page
from server.words.language import PageLanguage

NOW = 1795267920.0  # Saturday 21 November 2026, 14:32 in Paris
HOUR = 3600.0
EN = PageLanguage("en", "Europe/Paris")
ME = Person("me", "Van 1", "van-1", "volunteer")
SAM = Person("sam", "Sam", "sam", "coordinator")
ROW = Tank("canal-1", "", "canal", name="Canal 1", sensor_height_mm=1100, empty_l=20.0)
KNOWN = TankNow(
    "canal-1", "ok", NOW - HOUR, at=NOW - 360, received=NOW - 350, volume_l=480.0, sd_l=11.0,
    pct=48.0, trend_lph=-40.0,
)  # fmt: skip
LOW = Incident(
    "low1", "low", "canal-1", None, NOW - HOUR, NOW - HOUR, NOW, None, None, 0.9, {}, (),
    {"volume_l": 250.0}, "mac", False, None, None, None, 0,
)  # fmt: skip
TAKEN = replace(
    LOW, id="gone1", kind="seized", causes={"seized": 0.7, "drained": 0.2, "unknown": 0.1},
    because=(Because("motion", 1.2, "measured", {"duration_s": 41.0}),
             Because("planned_move", -0.5, "inferred")),
)  # fmt: skip


def view(now: TankNow = KNOWN, incident: Incident | None = None, live: bool = True) -> TankView:
    if now is KNOWN and incident is not None:
        now = replace(KNOWN, volume_l=250.0, pct=25.0)
    return TankView(ROW, now, incident, (), None, live)


def snapshot(one: TankView, fresh: Freshness | None = None) -> Snapshot:
    registry = Registry({"canal": (Site("canal", "", name="Canal"),)}, {"canal-1": (ROW,)}, {})
    incidents = (one.incident,) if one.incident else ()
    names = {"me": "Van 1", "sam": "Sam"}
    return Snapshot(NOW, 1, registry, (one,), incidents, names, fresh or Freshness(True, NOW - 60))


def plain(text: object) -> str:
    return str(text).replace("\u00a0", " ")


def shown(incident: Incident, me: Person = ME) -> incident_page.IncidentPage:
    others = [p for p in (ME, SAM) if p != me]
    return incident_page.page(EN, snapshot(view(incident=incident)), incident, [], me, others)


def test_a_coordinator_has_two_tabs_more_and_another_name_for_the_first() -> None:
    assert [t.text for t in page.tabs(EN, ME)] == ["Now", "Incidents", "More"]
    assert [t.id for t in page.tabs(EN, SAM)] == ["now", "incidents", "devices", "people", "more"]
    assert page.tabs(EN, SAM)[0].text == "Overview"


@pytest.mark.parametrize(
    ("fresh", "text", "live"),
    [
        (Freshness(True), "Live", True),
        (Freshness(False, lost=NOW - 60), "Not live", False),
        (Freshness(False, started=False), "No sensors yet", False),
    ],
)
def test_the_page_shows_whether_it_is_live(fresh: Freshness, text: str, live: bool) -> None:
    found = page.freshness(EN, snapshot(view(), fresh))
    assert (str(found.text), found.is_live, found.is_aged) == (text, live, False)


def test_the_age_of_the_newest_message_is_updated_by_the_script() -> None:
    found = page.freshness(EN, snapshot(view()))
    assert found.is_aged
    assert "data-at" in found.text
    assert "1\u00a0min ago" in found.text


def test_a_free_incident_with_water_offers_a_claim_and_a_refill() -> None:
    acts = shown(LOW).acts
    assert acts.go == "I’m going"
    assert [a.value for a in acts.arrivals if a.chosen] == ["40"]
    assert [(b.act, b.value, b.text) for b in acts.buttons] == [
        ("close", "refilled", "Already refilled")
    ]
    assert acts.colleagues == acts.sightings == []
    assert [o.value for o in acts.reasons] == ["refilled", "mistaken", "other"]


def test_a_tank_that_may_be_gone_offers_to_look_and_to_report() -> None:
    acts = shown(TAKEN).acts
    assert acts.go == "I’ll go and look"
    assert [b.value for b in acts.buttons] == ["moved_by_us"]
    assert [b.value for b in acts.sightings] == ["there", "gone", "damaged", "blocked"]
    assert [o.value for o in acts.reasons][:3] == ["found", "moved_by_us", "repaired"]


def test_only_the_claimant_can_undo_and_pass_it_on() -> None:
    mine = shown(replace(LOW, claimed_by="me"))
    assert [b.act for b in mine.acts.buttons] == ["release", "close"]
    assert [o.text for o in mine.acts.colleagues] == ["Sam"]
    assert (mine.acts.go, mine.head.claimed) == ("", True)
    other = shown(replace(LOW, claimed_by="sam"))
    assert other.acts.buttons == other.acts.colleagues == []
    assert other.head.who == "Sam is going."


def test_a_closed_incident_offers_nothing_and_shows_its_end() -> None:
    closed = shown(replace(LOW, closed=NOW - 600, closed_why="refilled"))
    assert closed.acts == incident_page.Acts("", [], [], [], [], [])
    assert (closed.head.who, closed.now) == ("Refilled, 14:22.", "")
    assert closed.head.style == "band-head"


def test_evidence_is_ordered_by_basis_and_awaits_a_witness() -> None:
    found = shown(TAKEN).evidence
    assert [(e.basis, len(e.grounds)) for e in found] == [
        ("measured", 1), ("witnessed", 0), ("inferred", 1),
    ]  # fmt: skip
    assert [g.direction for e in found for g in e.grounds] == ["points to it", "points away"]


def test_an_open_incident_counts_its_time_in_its_history() -> None:
    assert plain(shown(LOW).now) == "Open for 1 h. Nobody is going yet."


def test_a_level_that_is_not_seen_has_no_forecast() -> None:
    span = Span(NOW + 4 * HOUR, NOW + 3 * HOUR, NOW + 6 * HOUR)
    seen = view(replace(KNOWN, low_at=span, empty_at=span))
    assert [f.icon for f in tank_page.forecasts(EN, seen, NOW)] == ["low", "empty"]
    assert tank_page.forecasts(EN, replace(seen, live=False), NOW) == []
    assert tank_page.forecasts(EN, view(replace(KNOWN, state="empty", empty_at=span)), NOW) == []


def level(one: TankView) -> tank_page.Level:
    return tank_page.level(EN, one, tank.card(EN, snapshot(one), one), NOW)


def test_a_level_has_its_share_its_doubt_and_its_trend() -> None:
    found = level(view())
    assert (plain(found.litres), plain(found.share)) == ("480 L", "48 % of 1000 L")
    assert plain(found.doubt) == "give or take 15 L"
    assert plain(found.measured).endswith("Falling by about 40 L/h.")


def test_an_empty_tank_shows_the_litres_below_its_tap() -> None:
    found = level(view(replace(KNOWN, state="empty", volume_l=4.0)))
    assert (found.lead, plain(found.litres), found.share) == ("under", "20 L", "below the tap")


def test_the_table_has_the_forecast_or_why_there_is_none() -> None:
    def following(one: TankView) -> str:
        return plain(home.table_row(EN, tank.card(EN, snapshot(one), one), NOW).next)

    span = Span(NOW + 4 * HOUR, NOW + 3 * HOUR, NOW + 6 * HOUR)
    assert following(view(replace(KNOWN, low_at=span))) == "today 17–21 h"
    assert following(view(replace(KNOWN, state="low", empty_at=span))) == "empty 17–21 h"
    assert following(view(live=False)) == "unknown"
    assert following(view(incident=TAKEN)) == "moved 13:32"


def test_blocks_need_a_live_gateway() -> None:
    one = view(incident=LOW)
    cards = [tank.card(EN, snapshot(one), one)]
    (block,) = home.blocks(EN, snapshot(one), cards, "me")
    assert (block.go, block.more, block.claimed) == ("I’m going", "Details", False)
    assert home.blocks(EN, snapshot(one, Freshness(False)), cards, "me") == []


def test_the_home_page_names_the_silence_of_a_lost_gateway() -> None:
    lost = home.news(EN, snapshot(view(), Freshness(False, lost=NOW - 2 * HOUR)))
    assert lost is not None
    assert lost.heading == "No news since 12:32"
    assert "<strong>not how it is now</strong>" in lost.line
    assert home.news(EN, snapshot(view())) is None


@pytest.mark.parametrize(
    ("one", "shape"),
    [
        (view(), "water"),
        (view(replace(KNOWN, state="empty")), "empty"),
        (view(replace(KNOWN, state="fault")), "fault"),
        (view(replace(KNOWN, state="unknown", presence="silent")), "silent"),
        (view(live=False), "unknown"),
        (view(incident=TAKEN), "taken"),
    ],
)
def test_each_state_has_its_drawing(one: TankView, shape: str) -> None:
    drawn = picture.glyph(one)
    assert drawn.shape == shape
    assert drawn.unseen == (shape in ("silent", "unknown"))


def test_a_level_is_drawn_to_scale_and_never_outside_the_tank() -> None:
    assert (picture.glyph(view()).top, picture.glyph(view()).height) == (25.5, 13.0)
    full = picture.large(view(replace(KNOWN, pct=140.0)), ((500.0, "half"),))
    assert (full.top, full.height) == (26.0, 156.0)
    assert (full.leaders[0].y, full.leaders[0].text_y) == (104.0, 109.0)
    assert full.band_top == 26.0


def low_at(litres: float, incident: Incident = LOW) -> TankView:
    return view(replace(KNOWN, volume_l=litres, pct=litres / 10, state="low"), incident)


@pytest.mark.parametrize(
    ("litres", "word", "needed"), [(330.0, "Low", 1), (331.0, "Being filled", 0)]
)
def test_a_tank_whose_level_is_back_is_not_called_low(
    litres: float, word: str, needed: int
) -> None:
    """3 % above the threshold, the watch's hysteresis, the page no longer says low."""
    seen = snapshot(low_at(litres))
    card = tank.card(EN, seen, seen.tanks[0])
    assert card.status is not None
    assert card.status.text == word
    assert ("1 tank needs somebody" in home.opening(EN, seen).heading) is bool(needed)
    (block,) = home.blocks(EN, seen, [card], "me")
    assert block.claimed is not bool(needed)
    page_ = incident_page.page(EN, seen, LOW, [], ME, [])
    assert page_.head.word == word
    assert f"About {plain(EN.litres(litres))}" in plain(page_.head.what)


def test_a_theft_is_not_called_filled_whatever_the_level() -> None:
    assert not low_at(800.0, TAKEN).is_filling
    assert not replace(low_at(800.0), live=False).is_filling


@pytest.mark.parametrize(
    ("kind", "heading"),
    [("low", "Canal 1 was low"), ("critical", "Canal 1 was nearly empty"),
     ("empty", "Canal 1 was empty"), ("lid_open", "Canal 1: the lid is open")],
)  # fmt: skip
def test_a_closed_water_incident_speaks_of_the_past(kind: str, heading: str) -> None:
    closed = shown(
        replace(
            LOW, kind=kind, closed=NOW - 600, closed_why="refilled", figures={"volume_l": 840.0}
        )
    )
    assert closed.head.heading == heading
    if kind != "lid_open":
        assert closed.head.word == "Over"
        assert plain(closed.head.what) == "It held <strong>about 840 L</strong> when this ended."


def test_a_silent_sensor_is_to_be_looked_at_whatever_became_of_its_tank() -> None:
    silent = replace(KNOWN, presence="silent", presence_since=NOW - HOUR, state="unknown")
    (found,) = sensors.sick(EN, snapshot(view(silent, TAKEN)))
    assert (found.name, found.href) == ("Canal 1", "/incidents/gone1")
    assert found.text == "Silent since 13:32."
    (alone,) = sensors.sick(EN, snapshot(view(silent)))
    assert alone.href == "/tanks/canal-1"
    assert sensors.sick(EN, snapshot(view(silent, live=False))) == []
    assert sensors.sick(EN, snapshot(view())) == []
    own = replace(TAKEN, kind="silent")
    assert len(sensors.sick(EN, snapshot(view(silent, own)))) == 1


@pytest.mark.parametrize(
    ("hours", "source"),
    [(0, "No use is known here yet: it is assumed."),
     (1, "Only 1 hour of use is known here: the rest is assumed."),
     (23, "Only 23 hours of use are known here: the rest is assumed."),
     (24, "Reckoned from the last days at this time of day.")],
)  # fmt: skip
def test_a_forecast_says_what_it_follows_from(hours: int, source: str) -> None:
    assert tank_page.basis(EN, view(replace(KNOWN, known_h=hours))).endswith(source)
