"""What people do on the pages: sign in, watch a level change, claim, hand over, undo."""

from dataclasses import replace

from playwright.sync_api import expect

from gateway.database import heartbeat
from tests.browser.conftest import Site
from tests.browser.scenes import change


def test_a_level_changes_on_the_open_page_without_reloading_it(site: Site):
    with site.person() as page:
        row = page.locator("#tank-canal-2")
        expect(row).to_contain_text("about 640\u00a0L")
        page.evaluate("document.getElementById('live').dataset.mark = 'kept'")
        page.wait_for_selector("html[data-following]")
        now = site.scene.now
        site.scene.put(
            replace(site.scene.known("canal-2"), volume_l=510.0, pct=51.0, at=now, received=now)
        )
        expect(row).to_contain_text("about 510\u00a0L")
        expect(row.locator("rect.water")).to_have_attribute("height", "13.8")


def test_a_new_incident_appears_and_is_announced_politely(site: Site):
    with site.person() as page:
        expect(page.locator("h1")).to_have_text("2 tanks need somebody")
        page.wait_for_selector("html[data-following]")
        site.scene.put(replace(site.scene.known("canal-3"), volume_l=290.0, pct=29.0, state="low"))
        site.scene.write(
            change(
                site.scene.now, "canal3low2", "low", site.scene.now - 60, tank="canal-3",
                figures={"volume_l": 290.0},
            )
        )  # fmt: skip
        expect(page.locator("h1")).to_have_text("3 tanks need somebody")
        expect(page.locator("#said")).to_have_text("3 tanks need somebody")
        expect(page.locator("#block-canal3low2")).to_contain_text("Nobody is going yet.")


def test_a_volunteer_claims_from_the_first_screen_of_a_phone(site: Site):
    with site.person("van-1", 360) as page, site.person("van-2", 360) as other:
        other.wait_for_selector("html[data-following]")
        block = page.locator("#block-canalcrit2")
        button = block.get_by_role("button", name="I’m going")
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 52
        button.click()
        expect(page.locator("#head")).to_contain_text("Van 1 is going.")
        expect(other.locator("#block-canalcrit2")).to_contain_text("Van 1 is going.")
        expect(other.locator("h1")).to_have_text("1 tank needs somebody")


def test_a_claim_with_its_time_is_undone_and_handed_over(site: Site):
    with site.person() as page:
        page.goto(f"{site.url}/c/canalcrit2")
        page.get_by_text("20\u00a0min").click()
        page.get_by_role("button", name="I’m going").click()
        expect(page.locator("#head")).to_contain_text("Van 1 is going, there about")
        page.get_by_role("button", name="Undo: I’m not going").click()
        expect(page.locator("#head")).to_contain_text("Nobody is going yet.")
        page.get_by_role("button", name="I’m going").click()
        page.select_option("[name=to]", label="Van 2")
        page.get_by_role("button", name="Hand over").click()
        expect(page.locator("#head")).to_contain_text("Van 2 is going.")
        expect(page.locator(".lines")).to_contain_text("Van 1 hands over to Van 2.")


def test_we_moved_it_closes_an_incident_when_a_second_person_agrees(site: Site):
    with site.person() as page, site.person("van-2") as other:
        page.goto(f"{site.url}/i/birchtaken")
        expect(page.locator("h1")).to_have_text("Birches 2 moved and stopped answering")
        expect(page.locator(".cause.leads")).to_contain_text("about 7 in 10")
        page.locator("#head").get_by_role("button", name="We moved it").click()
        expect(page.locator("#head")).to_contain_text("Van 1 says that it is over: we moved it.")
        expect(page.get_by_role("button", name="Close")).to_have_count(0)
        page.get_by_role("button", name="Undo: it is not over").click()
        expect(page.locator(".lines")).to_contain_text("Van 1 keeps it open.")
        page.locator("#head").get_by_role("button", name="We moved it").click()
        other.goto(f"{site.url}/i/birchtaken")
        other.locator("#head").get_by_role("button", name="Yes, it is over").click()
        expect(other.locator("#head .who")).to_contain_text("We moved it")
        other.goto(site.url)
        expect(other.locator("h1")).to_have_text("1 tank needs somebody")


def test_everything_needed_works_without_a_script(site: Site):
    with site.person(script=False) as page:
        assert "2 tanks need somebody" in page.content()
        page.click("#block-canalcrit2 button")
        page.wait_for_selector("text=Van 1 is going.")
        page.goto(f"{site.url}/tanks/birches-1?range=7d")
        assert page.locator("svg.plot path.line").count() >= 2
        page.click("details summary")
        assert page.locator("details table tr").count() > 20


def test_a_page_turns_not_live_when_the_gateway_disconnects(site: Site):
    with site.person() as page:
        expect(page.locator("#fresh")).to_contain_text("Live, ")
        page.wait_for_selector("html[data-following]")
        heartbeat.renew(site.scene.engine, "g1", connected=False, broker="mosquitto")
        expect(page.locator("#fresh")).to_have_text("Not live")
        expect(page.locator("h1")).to_contain_text("No news since")
        expect(page.locator("#tank-canal-2")).to_contain_text("was 640\u00a0L")
        heartbeat.renew(site.scene.engine, "g1", connected=True, broker="mosquitto")
        expect(page.locator("#fresh")).to_contain_text("Live, ")


def test_the_first_page_of_a_new_installation_shows_the_next_steps(new_site: Site):
    with new_site.person("sam") as page:
        expect(page.locator("h1")).to_have_text("No tanks yet")
        expect(page.locator("#live")).to_contain_text("noria registry import")


def test_a_keyboard_is_enough(site: Site):
    with site.person() as page:
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_text("Skip to the content")
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.locator(":focus").inner_text() == "I’ll go and look":
                break
        page.keyboard.press("Enter")
        expect(page.locator("#head")).to_contain_text("Van 1 is going.")


def test_a_coordinator_adds_a_person_who_can_sign_in(site: Site):
    with site.person("sam", 1280) as page:
        page.goto(f"{site.url}/people")
        page.fill("[name=name]", "Van 3")
        page.get_by_role("button", name="Add").click()
        login, password = page.locator(".notice code").all_inner_texts()
    with site.visitor() as page:
        page.goto(f"{site.url}/c/canalcrit2")
        expect(page).to_have_title("Sign in · Noria")
        page.fill("[name=login]", login)
        page.fill("[name=password]", password)
        page.click("form[action='/sign-in'] button")
        expect(page.locator("h1")).to_have_text("Canal 1 is nearly empty")
