"""Many open pages of one browser: only the ones that are looked at follow what happens."""

from dataclasses import replace

from playwright.sync_api import Page, Request, expect

from gateway.registry import rows
from tests.browser.conftest import Site
from tests.browser.scenes import change

HIDE = """hidden => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event('visibilitychange'));
}"""


class Streams:
    """The open streams of a page, counted by its requests."""

    def __init__(self, page: Page) -> None:
        self._open: list[Request] = []
        page.on("request", self._begin)
        page.on("requestfinished", self._end)
        page.on("requestfailed", self._end)

    @property
    def open(self) -> int:
        return len(self._open)

    def _begin(self, request: Request) -> None:
        if request.url.endswith("/live"):
            self._open.append(request)

    def _end(self, request: Request) -> None:
        if request in self._open:
            self._open.remove(request)


def new_incident(site: Site) -> None:
    scene = site.scene
    scene.put(replace(scene.known("canal-3"), volume_l=290.0, pct=29.0, state="low"))
    scene.write(
        change(
            scene.now, "canal3low2", "low", scene.now - 60, tank="canal-3",
            figures={"volume_l": 290.0},
        )
    )  # fmt: skip


def test_ten_tabs_of_one_browser_load_and_the_first_still_goes_elsewhere(site: Site):
    with site.person() as first:
        tanks = list(rows.load(site.scene.engine).tanks)[:9]
        assert len(tanks) == 9
        pages = [first, *(first.context.new_page() for _ in tanks)]
        for page, tank in zip(pages[1:], tanks, strict=True):
            page.set_default_timeout(10_000)
            page.goto(f"{site.url}/tanks/{tank}")
            expect(page.locator("h1")).to_be_visible()
        first.goto(f"{site.url}/incidents")
        expect(first.locator("h1")).to_be_visible()
        pages[-1].wait_for_selector("html[data-following]")


def test_a_hidden_page_holds_no_stream_and_catches_up_when_it_is_seen(site: Site):
    with site.person() as page:
        streams = Streams(page)
        page.reload()
        page.wait_for_selector("html[data-following]")
        assert streams.open == 1
        page.evaluate(HIDE, True)
        page.wait_for_selector("html:not([data-following])")
        page.wait_for_timeout(200)
        assert streams.open == 0
        new_incident(site)
        page.wait_for_timeout(1500)
        expect(page.locator("h1")).to_have_text("2 tanks need somebody", timeout=100)
        page.evaluate(HIDE, False)
        expect(page.locator("h1")).to_have_text("3 tanks need somebody")
        page.wait_for_selector("html[data-following]")
        assert streams.open == 1


def test_a_page_that_opens_hidden_holds_no_stream(site: Site):
    with site.person() as page:
        streams = Streams(page)
        page.add_init_script(f"({HIDE})(true)")
        page.reload()
        expect(page.locator("h1")).to_be_visible()
        page.wait_for_timeout(1000)
        assert streams.open == 0
        page.evaluate(HIDE, False)
        page.wait_for_selector("html[data-following]")
        assert streams.open == 1


def test_a_page_replaced_by_newer_ones_says_so_and_follows_when_turned_to(site: Site):
    with site.person() as first:
        first.wait_for_selector("html[data-following]")
        others = [first.context.new_page() for _ in range(4)]
        for page in others:
            page.goto(site.url)
            page.wait_for_selector("html[data-following]")
        expect(first.locator("#fresh")).to_have_text("Not live")
        first.wait_for_timeout(6000)
        for page in others:  # the first has not taken its place again
            page.wait_for_selector("html[data-following]", timeout=100)
        new_incident(site)
        first.evaluate("dispatchEvent(new Event('focus'))")
        expect(first.locator("#fresh")).to_contain_text("Live, ")
        expect(first.locator("h1")).to_have_text("3 tanks need somebody")


def test_a_page_whose_session_ended_leads_to_the_sign_in_page(site: Site):
    with site.person() as first:
        other = first.context.new_page()
        other.goto(f"{site.url}/more")
        first.wait_for_selector("html[data-following]")
        other.click("form[action='/sign-out'] button")
        first.wait_for_url(f"{site.url}/sign-in**")
