"""A running server with a scene, and a real Chromium."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import scenes
from tests.browser.accounts import PASSWORD
from tests.browser.scenes import Scene
from tests.integration.sinks import HttpSink
from tests.parts import require
from tests.parts.services import Service, free_port

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@dataclass(frozen=True)
class Site:
    """A running server: its scene and address."""

    scene: Scene
    url: str
    browser: Browser
    sink: HttpSink | None = None
    """What its service for persons was given."""

    @contextmanager
    def visitor(
        self, width: int = 360, *, language: str = "en", dark: bool = False, script: bool = True
    ) -> Iterator[Page]:
        """A page in a fresh profile; fails the test on any error in its console."""
        context = self.browser.new_context(
            viewport={"width": width, "height": 800}, locale=language,
            color_scheme="dark" if dark else "light", java_script_enabled=script,
        )  # fmt: skip
        page = context.new_page()
        page.set_default_timeout(15_000)
        wrong: list[str] = []
        page.on("console", lambda m: wrong.extend([m.text] * (m.type in ("error", "warning"))))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda r: wrong.extend([r.url] * (not r.url.startswith(self.url))))
        try:
            yield page
        finally:
            context.close()
        assert wrong == []

    @contextmanager
    def person(self, login: str = "van-1", width: int = 360, **more: bool | str) -> Iterator[Page]:
        """As ``visitor``, signed in."""
        with self.visitor(width, **more) as page:  # pyright: ignore[reportArgumentType]
            page.goto(f"{self.url}/sign-in")
            page.fill("[name=login]", login)
            page.fill("[name=password]", PASSWORD)
            page.click("form[action='/sign-in'] button")
            page.wait_for_selector("nav.tabs")
            yield page


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for this folder: its event loop must not outlive it into tests that run one."""
    path = require("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(path), args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def served(
    folder: Path, browser: Browser, extra: str = "", **scene: bool
) -> Iterator[Site]:  # fmt: skip
    """Serve a new scene from a process of its own; ``extra``: lines for its configuration."""
    port = free_port()
    extra = f'server_listen = "127.0.0.1:{port}"\n{extra}'
    made = scenes.make(folder, extra=extra, **scene)
    command = [sys.executable, "-m", "server.command", "server"]
    service = Service([*command, "--config", made.settings.source], folder / "server.log")
    service.start(lambda: "ready" in service.text())
    try:
        yield Site(made, f"http://127.0.0.1:{port}", browser)
    finally:
        service.stop()
        made.engine.dispose()


@pytest.fixture
def site(tmp_path: Path, chromium: Browser) -> Iterator[Site]:
    with served(tmp_path, chromium) as running:
        yield running


@pytest.fixture
def new_site(tmp_path: Path, chromium: Browser) -> Iterator[Site]:
    """An installation without tanks."""
    with served(tmp_path, chromium, empty=True) as running:
        yield running
