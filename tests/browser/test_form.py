"""Form of the pages: weight, narrow screens, large text, languages, accessibility."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi.routing import APIRoute
from playwright.sync_api import Browser, Page, expect

from gateway.alerts.people.keys import Key, KeyFile
from server.pages import devices, home, incident, me, more, people, rota, sign_in, tank, why
from tests.browser import accounts
from tests.browser.accounts import PASSWORD
from tests.browser.conftest import Site, served
from tests.integration.sinks import http_sink
from tests.typography import faults_of_page

PAGES = (
    "/", "/tanks/birches-1", "/tanks/canal-1", "/tanks/birches-2", "/tanks/orchard-1",
    "/tanks/dunes-3?range=30d", "/incidents", "/incidents/birchtaken", "/incidents/canalcrit2",
    "/incidents/duneslow22", "/incidents/orchardnet", "/incidents/birchlow11", "/more",
    "/devices", "/people", "/me", "/rota",
)  # fmt: skip
INCIDENTS = (
    "birchtaken", "canalcrit2", "duneslow22", "orchardnet", "battbirch3", "birchlow11",
)  # fmt: skip
WALK = {
    "/": ("/", "/?by=site"),
    "/tanks/{tank}": (
        *(f"/tanks/{name}-{n}" for name in ("canal", "birches", "dunes", "orchard")
          for n in (1, 2, 3)),
        "/tanks/birches-1?range=7d", "/tanks/birches-1?range=30d",
    ),
    "/incidents": ("/incidents",),
    "/incidents/{incident_id}": tuple(f"/incidents/{one}" for one in INCIDENTS),
    "/c/{incident_id}": ("/c/canalcrit2",),
    "/incidents/{incident_id}/why": tuple(f"/incidents/{one}/why" for one in INCIDENTS),
    "/sign-in": ("/sign-in",),
    "/more": ("/more",),
    "/devices": ("/devices",),
    "/people": ("/people",),
    "/me": ("/me",),
    "/rota": ("/rota", "/rota?week=2030-01-01"),
}  # fmt: skip
"""The addresses at which each page is read; a volunteer gets the refusal of some."""
NO_PAGE = {"/i/{incident_id}", "/robots.txt", "/enter/{code}", "/rota/{token}.ics"}
WIDTHS = (320, 768, 900, 1280)  # a narrow phone first
COLOUR_RULES = ["color-contrast", "link-in-text-block"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Site]:
    """One server for all: nothing before the last test changes what it shows."""
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patched, http_sink() as sink:
        patched.delenv("RUNTIME_DIRECTORY", raising=False)
        patched.setenv("XDG_RUNTIME_DIR", str(folder))
        extra = f'services = ["hook=json://127.0.0.1:{sink.port}/{{to}}"]\n'
        with served(folder, chromium, extra) as running:
            KeyFile(running.scene.settings.data).put(Key(bytes(range(32))))
            accounts.add_shifts(running.scene.engine, running.scene.now)
            yield replace(running, sink=sink)


def opened(site: Site, page: Page, path: str) -> None:
    """Open a page while the gateway is live."""
    site.scene.beat()
    page.goto(site.url + path)


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_nothing_is_wider_than_its_screen(site: Site, language: str):
    with site.person("sam", WIDTHS[0], language=language) as page:
        for path in PAGES:
            opened(site, page, path)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                assert overflow(page) <= 0, (path, width)


def test_text_at_twice_its_size_still_fits_a_phone(site: Site):
    with site.person("sam", WIDTHS[0]) as page:
        for path in PAGES:
            opened(site, page, path)
            page.evaluate("document.documentElement.style.fontSize = '200%'")
            assert overflow(page) <= 0, path


def test_a_first_visit_weighs_little(site: Site):
    with site.person() as page:
        client = page.context.new_cdp_session(page)
        client.send("Network.enable")
        client.send("Network.setCacheDisabled", {"cacheDisabled": True})
        sizes: list[float] = []
        client.on("Network.loadingFinished", lambda e: sizes.append(e["encodedDataLength"]))
        for path in ("/", "/tanks/birches-1?range=30d", "/incidents/birchtaken"):
            sizes.clear()
            opened(site, page, path)
            page.wait_for_selector("html[data-following]")
            assert len(sizes) >= 3
            assert sum(sizes) <= 30_000, path


def test_a_french_reader_gets_french(site: Site):
    site.scene.beat()
    with site.person(language="fr-FR") as page:
        expect(page.locator("html")).to_have_attribute("lang", "fr")
        expect(page.locator("h1")).to_have_text("2 cuves attendent quelqu’un")
        expect(page.locator("#block-canalcrit2")).to_contain_text("Personne n’y va encore.")
        page.goto(f"{site.url}/more")
        page.get_by_role("button", name="English").click()
        page.goto(site.url)
        expect(page.locator("h1")).to_have_text("2 tanks need somebody")


def signed_in(site: Site, login: str) -> dict[str, str]:
    given = {"login": login, "password": PASSWORD}
    answer = httpx.post(f"{site.url}/api/v1/session", json=given, timeout=30)
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def test_the_walk_below_leaves_out_no_page():
    rooms = (home, tank, incident, why, sign_in, more, devices, people, me, rota)
    routes = [r for room in rooms for r in room.router.routes if isinstance(r, APIRoute)]
    shown = {route.path for route in routes if "GET" in (route.methods or ())}
    assert shown == WALK.keys() | NO_PAGE


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_figure_and_sign_follows_the_readers_language(site: Site, language: str):
    site.scene.beat()
    with httpx.Client(base_url=site.url, timeout=30, follow_redirects=True) as client:
        client.headers["Accept-Language"] = language
        pages = {path: client.get(path) for path in ("/sign-in", "/sign-in?next=/c/canalcrit2")}
        for login in ("sam", "van-1"):
            client.headers.update(signed_in(site, login))
            for path in (*(one for ones in WALK.values() for one in ones), "/nowhere"):
                pages[f"{path} of {login}"] = client.get(path)
    found = {path: faults_of_page(page.text, language) for path, page in pages.items()}
    assert {path: wrong for path, wrong in found.items() if wrong} == {}
    assert all(page.headers["Content-Language"] == language for page in pages.values())


@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(site: Site, width: int):
    """All rules in light colours; in dark ones, which change nothing else, those about colour."""
    axe = Axe()
    with site.person("sam", width) as page:
        for path in PAGES:
            page.emulate_media(color_scheme="light")
            opened(site, page, path)
            found = axe.run(page)
            assert found.violations_count == 0, f"{path}: {found.generate_report()}"
            page.emulate_media(color_scheme="dark")
            found = axe.run(page, options={"runOnly": COLOUR_RULES})
            assert found.violations_count == 0, f"{path}, dark: {found.generate_report()}"


def test_the_sign_in_page_names_no_place(site: Site):
    with site.visitor() as page:
        page.goto(f"{site.url}/i/birchtaken")
        expect(page).to_have_title("Sign in · Noria")
        assert "Birches" not in page.content()
        assert Axe().run(page).violations_count == 0


def code_of(site: Site) -> str:
    """The code in the newest message."""
    assert site.sink is not None
    found = re.search(r"\b\d{6}\b", json.loads(site.sink.bodies[-1])["message"])
    assert found
    return found[0]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_alerts_and_shifts_are_set_on_a_phone(site: Site, script: bool):
    """In French with a script and axe, in English without one; the keyboard sends each form."""
    language: Literal["fr", "en"] = "fr" if script else "en"
    word = dict(zip(WORDS["en"], WORDS[language], strict=True))

    def press(name: str, page: Page, within: str = "main") -> None:
        page.locator(within).get_by_role("button", name=word[name]).first.focus()
        page.keyboard.press("Enter")

    with site.person("van-1", 360, language=language, script=script) as page:
        opened(site, page, "/more")
        page.get_by_role("link", name=word["My alerts"]).click()
        page.fill("[name=address]", f"+33 6 12 34 56 {42 if script else 43}")
        press("Send the code", page)
        page.wait_for_selector("[name=code]")
        page.fill("[name=code]", code_of(site))
        press("Confirm", page)
        way = page.locator(".ways").first
        expect(way).to_contain_text(f"Hook …{42 if script else 43}")
        press("Send me a test message", page)
        expect(page.locator("[role=status]")).to_contain_text(word["on its way"])
        page.fill("[name=quiet_from]", "22:30")
        page.fill("[name=quiet_until]", "06:00")
        page.check("[name=where][value=some]")
        page.check("[name=sites][value=canal]")
        press("Save", page)
        expect(page.locator("[role=status]")).to_contain_text(word["Saved."])
        checked(page, script)

        opened(site, page, "/tanks/canal-2")
        press("Quiet for", page, "#alerts")
        press("Undo: alert me again", page, "#alerts")
        expect(page.locator("#alerts button")).to_have_count(2)

        opened(site, page, "/rota?week=2030-01-01")
        turn = page.locator("#turn-early-2030-01-02")
        expect(turn).to_contain_text("Van 1")
        turn.locator("summary").focus()
        page.keyboard.press("Enter")
        press("I can’t", page, "#turn-early-2030-01-02")
        expect(turn).to_contain_text(word["Nobody yet"])
        checked(page, script)
        press("Undo the change", page, "#turn-early-2030-01-02")
        expect(turn).to_contain_text("Van 1")
        press("Make a", page, "#calendar")
        href = page.locator("#link a").first.get_attribute("href")
        answer = page.context.request.get(f"{site.url}{href}")
        assert "BEGIN:VTIMEZONE" in answer.text()


def checked(page: Page, script: bool) -> None:
    """Nothing is too wide; with a script, axe finds nothing."""
    assert overflow(page) <= 0
    if script:
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


WORDS = {
    "en": (
        "My alerts", "Send the code", "Confirm", "Send me a test message", "on its way", "Save",
        "Saved.", "Quiet for", "Undo: alert me again", "I can’t", "Nobody yet", "Undo the change",
        "Make a",
    ),
    "fr": (
        "Mes alertes", "Envoyer le code", "Confirmer", "M’envoyer un message d’essai", "est parti",
        "Enregistrer", "Enregistré.", "Aucune pendant", "m’alerter de nouveau", "Je ne peux pas",
        "Personne encore", "Annuler le changement", "Créer un",
    ),
}  # fmt: skip
