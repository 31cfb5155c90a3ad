"""One running portal and one Chromium for all browser tests; people who sign in through the real form.

Playwright's event loop stands in the thread of whoever uses it, where Django would refuse every query: the browser
lives as long as this package's tests run, and they ask the database nothing."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState

from tests.browser.chromium import Troubles, chromium, sign_in
from tests.browser.looks import WIDE
from tests.browser.stack import Stack, running_stack

PATIENCE_MS = 10_000
PageAs = Callable[..., Page]

_failed = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Any:
    report = yield
    if report.when == "call":
        item.stash[_failed] = report.failed
    return report


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The portal with the demo world, as `make run` starts it."""
    with running_stack() as found:
        yield found


@pytest.fixture(scope="session")
def base_url(stack: Stack) -> str:
    return stack.base_url


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def signed_in() -> dict[str, StorageState]:
    """The cookies of those who have signed in once."""
    return {}


@pytest.fixture
def troubles() -> Iterator[Troubles]:
    """Nothing may go wrong behind the back of a test: no error in the console, no violation, no failed answer."""
    found = Troubles()
    yield found
    assert found.found == []


@pytest.fixture
def new_context(
    request: pytest.FixtureRequest, browser: Browser, stack: Stack, troubles: Troubles
) -> Iterator[Callable[..., BrowserContext]]:
    """Makes a browser's profile of its own, closed at the end; pictures of what it showed when the test failed."""
    with ExitStack() as contexts:

        def _new_context(**options: Any) -> BrowserContext:
            given = {
                "base_url": stack.base_url,
                "locale": "en-US",
                "viewport": WIDE,
                "reduced_motion": "reduce",
            }
            context = contexts.enter_context(browser.new_context(**{**given, **options}))
            context.set_default_timeout(PATIENCE_MS)
            troubles.watch(context)
            return context

        yield _new_context
        if request.node.stash.get(_failed, False):
            _keep_pictures(request.node, browser, stack)


def _keep_pictures(item: pytest.Item, browser: Browser, stack: Stack) -> None:
    folder = stack.var.parent / "portal-browser-failed"
    name = re.sub(r"[^\w-]+", "_", item.name)[:80]
    for number, page in enumerate(page for context in browser.contexts for page in context.pages):
        path = folder / f"{name}.{number}.png"
        page.screenshot(path=path, full_page=True)
        item.add_report_section("call", "picture", f"{page.url}: {path}")


@pytest.fixture
def page_as(
    browser: Browser,
    stack: Stack,
    new_context: Callable[..., BrowserContext],
    signed_in: dict[str, StorageState],
) -> PageAs:
    """A page of somebody who is signed in: `page_as("alice", viewport=PHONE)`."""

    def _page_as(who: str, **options: Any) -> Page:
        if who not in signed_in:
            with browser.new_context(locale="en-US") as context:
                sign_in(context.new_page(), stack.base_url, who)
                signed_in[who] = context.storage_state()
        return new_context(storage_state=signed_in[who], **options).new_page()

    return _page_as


@pytest.fixture
def stranger(new_context: Callable[..., BrowserContext]) -> Page:
    """Somebody who is not signed in, at a desk."""
    return new_context().new_page()
