"""Every page that somebody can reach: accessible and within its width, light at a desk and dark on a telephone."""

import re
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

import pytest
from django.urls import Resolver404, resolve
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import PageAs
from tests.browser.looks import PHONE, axe, flaws, overflow
from tests.browser.pages import DETAILS, EVERYONE, KINDS, OWN, STRANGERS, Detail, first_link

pytestmark = pytest.mark.browser

# looser by their nature, and not ours
NOT_OURS = ("/admin/", "/api/docs/", "/api/schema/")


def links_on(page: Page) -> set[str]:
    """The addresses of our own pages that the page leads to."""
    hrefs: list[str] = page.locator("a[href]").evaluate_all("(links) => links.map((link) => link.href)")
    ours = urlsplit(page.url).netloc
    return {href.partition("#")[0] for href in hrefs if urlsplit(href).netloc == ours}


def kind_of(url: str) -> tuple[str, ...]:
    """Links of one kind lead to the same view with the same parameters; one of each is followed."""
    parts = urlsplit(url)
    try:
        name = resolve(parts.path).view_name
    except Resolver404:
        name = parts.path
    return (name, *sorted(re.findall(r"(?:^|&)([^=&]+)", parts.query)))


def dead_ends(page: Page, links: Iterable[str]) -> list[str]:
    """Links that lead nowhere, to something forbidden, or to the sign-in page."""
    chosen = {kind_of(link): link for link in sorted(links) if not urlsplit(link).path.startswith(NOT_OURS)}
    found = []
    for link in chosen.values():
        answer = page.request.get(link)
        if not answer.ok or "/account/login/" in answer.url:
            found.append(f"a link leads to {answer.status} {link}")
    return found


def examine(page: Page, paths: Iterable[str]) -> list[str]:
    """Everything wrong on these pages and behind their links."""
    found: list[str] = []
    links: set[str] = set()
    for path in paths:
        answer = page.goto(path)
        if answer is None or answer.status != 200:
            found.append(f"{path} answers {answer.status if answer else 'nothing'}")
            continue
        links |= links_on(page)
        found += [f"{path} {flaw}" for flaw in flaws(page)]
    return found + dead_ends(page, links)


def of_one_thing(page: Page, detail: Detail) -> str:
    """The address of a page of a single thing."""
    page.goto(detail.start)
    href = first_link(page, detail.prefix)
    assert href is not None, f"{detail.start} has no link to {detail.prefix}"
    return href


@pytest.mark.parametrize("who", KINDS)
def test_the_pages_of(who: str, page_as: PageAs) -> None:
    page = page_as(who)
    details = [of_one_thing(page, detail) for detail in DETAILS if detail.who == who]
    everyone = EVERYONE if who == "alice" else EVERYONE[:1]
    assert examine(page, [*everyone, *OWN[who], *details]) == []


@pytest.mark.parametrize("path", STRANGERS)
def test_a_page_that_needs_no_account(path: str, stranger: Page) -> None:
    answer = stranger.goto(path)
    assert answer is not None
    assert answer.status in {200, 404}
    assert flaws(stranger) == []


def test_korean_pages_fit(page_as: PageAs) -> None:
    page = page_as("minsu", viewport=PHONE)
    for path in ("/", "/cases/", "/cases/new/", "/coverage/", "/inbox/"):
        page.goto(path)
        expect(page.locator("html")).to_have_attribute("lang", "ko")
        assert overflow(page) == []


def test_menus_and_dialogs_are_sound_while_they_are_open(page_as: PageAs) -> None:
    page = page_as("sam")
    page.goto("/queues/")
    page.get_by_role("button", name="Your account").click()
    assert axe(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert axe(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("main").locator("details.menu summary").first.click()
    assert axe(page) == []
    page.set_viewport_size(PHONE)
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("navigation", name="Sections")).to_be_visible()
    assert axe(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_high_contrast_is_high(scheme: str, page_as: PageAs) -> None:
    page = page_as("sam", color_scheme=scheme)
    for path in ("/", "/cases/new/?organisation=acme"):
        page.goto(path)
        page.evaluate("() => { document.documentElement.dataset.theme = 'contrast'; }")
        assert axe(page) == []


def test_single_keys_lead_through_the_portal_and_stay_letters_in_a_field(page_as: PageAs) -> None:
    page = page_as("alice")
    page.goto("/cases/")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox").first).to_be_focused()
    page.keyboard.type("c?/")
    expect(page.get_by_role("searchbox").first).to_have_value("c?/")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard")).not_to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.get_by_role("main").get_by_role("row").nth(2).get_by_role("link")
    expect(second).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/cases/\d{4}-"))
    page.keyboard.press("r")
    expect(page.get_by_label("Your text")).to_be_focused()
    page.goto("/")
    page.keyboard.press("c")
    page.wait_for_url("**/cases/new/")
    page.keyboard.press("g")
    page.keyboard.press("k")
    page.wait_for_url("**/contracts/")


def test_a_draft_survives_a_reload_and_ends_when_it_was_sent(page_as: PageAs) -> None:
    page = page_as("minsu", locale="ko-KR")
    page.goto("/cases/")
    page.get_by_role("main").get_by_role("row").nth(1).get_by_role("link").first.click()
    text = page.locator("#composer-body")
    text.fill("resync 이 반복됩니다")
    page.reload()
    expect(text).to_have_value("resync 이 반복됩니다")
    page.locator("#composer").get_by_role("button").last.click()
    expect(page.get_by_role("main").get_by_role("article").last).to_contain_text("resync 이 반복됩니다")
    expect(text).to_have_value("")


def test_without_javascript_a_case_can_be_opened_and_answered(
    new_context: Callable[..., BrowserContext], page_as: PageAs
) -> None:
    state = page_as("alice").context.storage_state()
    page = new_context(storage_state=state, java_script_enabled=False).new_page()
    page.goto("/cases/new/")
    form = page.get_by_role("main")
    form.get_by_label("Software", exact=True).select_option(label="PathKeeper")
    form.get_by_label("Running release").select_option(label="21.4R3-S5")
    form.get_by_label("Site", exact=True).select_option(index=1)
    form.get_by_label("In one line, what is wrong?").fill("Opened without a script")
    form.get_by_label("What happens, since when").fill("The browser of the jump host runs none.")
    form.get_by_role("radio", name="P4").check()
    form.get_by_label("are protected and backed up").check()
    form.get_by_role("button", name="Open the case").click()
    expect(form.get_by_role("heading", name="Opened without a script")).to_be_visible()
    expect(form).to_contain_text("Covered until")
    form.get_by_label("Your text").fill("One more thing: only node 2.")
    form.get_by_role("button", name="Send reply").click()
    expect(form.get_by_role("article").last).to_contain_text("only node 2")
    page.get_by_role("main").get_by_role("link", name="Ask for escalation").click()
    expect(page.get_by_role("heading", name="Ask for escalation")).to_be_visible()
