"""A real browser in front of a real server. What goes wrong in it (a script, the policy, the width) fails the test."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.tools import require_tool

# A desk and a phone.
WIDTHS = (1280, 360)

type Story = Callable[[Page], None]
type Drive = Callable[[Story], None]


@pytest.fixture(scope="session")
def driver() -> Iterator[ThreadPoolExecutor]:
    """The one thread that speaks to the browser: Playwright keeps an event loop running in it, beside which Django would
    take the tests' own thread for an asynchronous one and hand it other connections."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        yield thread


@pytest.fixture(scope="session")
def browser(driver: ThreadPoolExecutor) -> Iterator[Browser]:
    """The system's Chromium; skipped on a laptop without one, failed where CI is set."""
    path = require_tool("chromium", "chromium-browser", "google-chrome")
    # As root, Chromium starts only without its sandbox.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []

    def start() -> tuple[Playwright, Browser]:
        playwright = sync_playwright().start()
        return playwright, playwright.chromium.launch(executable_path=path, args=arguments)

    playwright, started = driver.submit(start).result()
    yield started
    driver.submit(started.close).result()
    driver.submit(playwright.stop).result()


@pytest.fixture
def drive(driver: ThreadPoolExecutor, browser: Browser, live_server: LiveServer) -> Drive:
    """Tell a story on a new page; every complaint of a script or of the Content Security Policy fails it at its end."""

    def told(story: Story) -> None:
        complaints: list[str] = []

        def heard(message: Any) -> None:
            if message.type in ("error", "warning"):
                complaints.append(f"{message.text} ({message.location.get('url')})")

        context = browser.new_context(base_url=live_server.url, viewport={"width": WIDTHS[0], "height": 800})
        page = context.new_page()
        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        try:
            story(page)
        finally:
            context.close()
        assert complaints == []

    return lambda story: driver.submit(told, story).result()


def assert_fits(page: Page) -> None:
    """
    Fail if the page is wider than the desk or the phone that shows it.

    After a click, first expect something of the new page: between two documents there is none to measure, or still the old one.
    """
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        wide = page.locator("html").evaluate("root => root.scrollWidth")
        assert wide <= width, f"{page.url} is {wide} px wide at {width} px"
    page.set_viewport_size({"width": WIDTHS[0], "height": 800})
