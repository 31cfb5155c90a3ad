"""The main job in a real browser, on the portal as `make run` starts it."""

import re
import time
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from portal.run import PASSWORD, PEOPLE
from tests.browser.chromium import ADDRESSES
from tests.browser.conftest import PageAs
from tests.browser.looks import PHONE, flaws
from tests.browser.stack import Stack

pytestmark = pytest.mark.browser

PARTS = ("gunicorn", "portal worker", "portal beat", "alert_engine", "mailcatcher", "postgres", "valkey")
LOG = b"Nov 22 03:58:41 core-rtr-01 rpd[8127]: PATH_TABLE resync requested by standby, generation 91 -> 91\n"


def press(page: Page, name: str) -> None:
    page.get_by_role("main").get_by_role("button", name=name, exact=True).first.click()


def do(page: Page, act: str, button: str, **fields: str) -> None:
    """One of the acts of a case's header: open its dialog, fill it, send it. A field is named by its label."""
    page.get_by_role("main").get_by_role("link", name=act, exact=True).click()
    dialog = page.get_by_role("dialog")
    for label, text in fields.items():
        dialog.get_by_label(label.replace("_", " ")).fill(text)
    dialog.get_by_role("button", name=button, exact=True).click()


def fill_in(page: Page, synopsis: str, *, reference: str) -> None:
    """Everything that a P1 on PathKeeper needs but the files."""
    page.goto("/cases/new/")
    form = page.get_by_role("main")
    form.get_by_label("Software", exact=True).select_option(label="PathKeeper")
    # the first choice narrows the second
    expect(form.get_by_label("Running release").locator("optgroup")).to_have_count(0)
    for label, choice in (("Running release", {"label": "21.4R3-S5"}), ("Site", {"index": 1})):
        with page.expect_response(lambda response: "/cases/new/coverage/" in response.url):
            form.get_by_label(label, exact=True).select_option(**choice)
    form.get_by_label("In one line, what is wrong?").fill(synopsis)
    form.get_by_label("What happens, since when").fill("Both **controllers** ask for a resync every minute.")
    form.get_by_role("radio", name="P1").check()
    form.get_by_label("Your reference").fill(reference)
    form.get_by_label("are protected and backed up").check()


def number_on(page: Page) -> str:
    """The number of the case whose page is open."""
    page.wait_for_url(re.compile(r"/cases/\d{4}-\d{4}-\d{4,}/"))
    return urlsplit(page.url).path.strip("/").partition("/")[2]


def open_a_p1(page: Page, synopsis: str = "Resync storm on core-rtr-01", *, reference: str = "") -> str:
    fill_in(page, synopsis, reference=reference)
    press(page, "Open the case")
    return number_on(page)


def path_in(mail: EmailMessage, prefix: str) -> str:
    """The path of the link in a mail's text that begins so."""
    body = mail.get_body(("plain",))
    assert body is not None
    found = re.search(rf"http://127\.0\.0\.1:\d+({re.escape(prefix)}\S*)", body.get_content())
    assert found is not None, body.get_content()
    return found[1]


def answer_about(page: Page, number: str) -> tuple[int, str]:
    """Status and text of a case's page, without the number, and without what every answer has of its own."""
    response = page.request.get(f"/cases/{number}/")
    text = re.sub(r'(csrfmiddlewaretoken" value|csrf-token" content)="[^"]*"', "", response.text())
    return response.status, text.replace(number, "")


@pytest.mark.clause("C20")
def test_the_portal_starts_with_everything_it_needs_and_says_who_can_sign_in(
    stack: Stack, stranger: Page
) -> None:
    printed = (stack.var / "printed").read_text()
    assert f"{stack.base_url}/" in printed
    assert PASSWORD in printed
    assert all(address in printed for address, _who in PEOPLE)
    running = "\n".join(stack.processes().values())
    for part in PARTS:
        assert part in running
    assert stat_of(stack.var) == 0o700
    stranger.goto("/")
    expect(stranger.get_by_role("heading", name="Sign in")).to_be_visible()


def stat_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.clause("C25", "C27", "C31", "C54")
def test_alice_sees_the_coverage_at_once_and_opens_a_p1_with_her_reference_and_a_log(page_as: PageAs) -> None:
    page = page_as("alice")
    page.goto("/")
    main = page.get_by_role("main")
    expect(main.get_by_role("heading", name="Your cases")).to_be_visible()
    expect(main).to_contain_text("PathKeeper: covered until")
    fill_in(page, "Path table empty after failover", reference="INC-7001")
    coverage = page.locator("#coverage")
    expect(coverage).to_contain_text(re.compile(r"Covered until .+ by CS-\d{4}-\d{4}"))
    expect(coverage).to_contain_text("First response to a P1 within 1 h, round the clock:")
    expect(page.locator("#telephones")).to_contain_text("+1 408 555 0100")
    page.get_by_label("are protected and backed up").uncheck()
    press(page, "Open the case")
    expect(page.get_by_role("alert")).to_contain_text("protected and backed up")
    expect(page.get_by_label("In one line, what is wrong?")).to_have_value("Path table empty after failover")
    page.get_by_label("are protected and backed up").check()
    page.get_by_label("Files").set_input_files(
        {"name": "messages.log", "mimeType": "text/plain", "buffer": LOG}
    )
    press(page, "Open the case")
    number = number_on(page)
    expect(page.get_by_role("status")).to_contain_text(f"Case {number} is open")
    expect(main.locator(".head")).to_contain_text("INC-7001")
    expect(main).to_contain_text(re.compile("Covered until"))
    with page.expect_download() as download:
        main.get_by_role("link", name="messages.log").click()
    assert download.value.path().read_bytes() == LOG


@pytest.mark.clause("C25")
def test_the_coverage_shown_is_that_of_the_last_choice_however_slow_the_answers_are(page_as: PageAs) -> None:
    page = page_as("alice")
    page.goto("/cases/new/")
    asked: list[Route] = []

    def hold(route: Route) -> None:
        asked.append(route)

    page.route("**/cases/new/coverage/**", hold)
    form = page.get_by_role("main")
    form.get_by_label("Software", exact=True).select_option(label="PathKeeper")
    form.get_by_label("Running release").select_option(label="21.4R3-S5")
    form.get_by_label("Site", exact=True).select_option(index=1)
    for _round in range(5):
        page.wait_for_timeout(100)
        if asked:
            asked.pop(0).continue_()
    expect(page.locator("#coverage")).to_contain_text("Covered until")
    expect(form.get_by_label("Running release").locator("option:checked")).to_have_text("21.4R3-S5")


@pytest.mark.clause("C16", "C22")
def test_the_l1_alert_reaches_lena_by_mail_and_inbox_and_she_acknowledges_it_on_her_phone(
    page_as: PageAs, new_context: Callable[..., BrowserContext], stack: Stack
) -> None:
    number = open_a_p1(page_as("alice"), "Resync storm on core-rtr-01 and -02")
    mail = stack.wait_for_mail(ADDRESSES["lena"], about=number)
    assert "Resync storm" in str(mail["Subject"]) + str(mail.get_body(("plain",)))
    assert mail["Message-ID"]
    phone = new_context(viewport=PHONE, has_touch=True, is_mobile=True).new_page()
    phone.goto(path_in(mail, f"/cases/{number}/"))
    phone.get_by_label("Email").fill(ADDRESSES["lena"])
    phone.get_by_label("Password", exact=True).fill(PASSWORD)
    phone.get_by_role("main").get_by_role("button", name="Sign in").tap()
    told = r"Lena Fischer\s*sent [\d:]{8}, delivered [\d:]{8}\s*not acknowledged yet"
    expect(phone.locator(".ladder")).to_contain_text(re.compile(told))
    phone.get_by_role("button", name="Acknowledge").first.tap()
    expect(phone.locator(".ladder")).to_contain_text(re.compile(r"acknowledged \d\d:\d\d:\d\d"))
    desk = page_as("lena")
    desk.goto("/inbox/")
    row = desk.get_by_role("row").filter(has_text=number)
    expect(row).to_contain_text("Lena Fischer acknowledged")
    desk.goto("/engine/mail/")
    desk.get_by_role("main").get_by_role("link", name=number).first.click()
    expect(desk.get_by_role("main")).to_contain_text(ADDRESSES["lena"])
    assert flaws(desk) == []
    page = page_as("alice")
    page.goto(f"/cases/{number}/")
    expect(page.get_by_role("main")).to_contain_text("Our management has acknowledged")
    assert "Lena" not in page.get_by_role("main").inner_text()


@pytest.mark.clause("C16", "C22", "C28", "C29")
def test_sam_answers_restores_and_proposes_and_alice_accepts_which_cancels_the_ladder(
    page_as: PageAs, stack: Stack
) -> None:
    alice, sam = page_as("alice"), page_as("sam")
    number = open_a_p1(alice, "Standby controller asks for resync")
    sam.goto("/queues/?owner=none")
    sam.get_by_role("main").get_by_role("link", name="Standby controller asks for resync").first.click()
    press(sam, "Take")
    expect(sam.locator(".head")).to_contain_text("Sam Ruiz")
    sam.get_by_label("Your text").fill("Please send `show services pathkeeper status` of both nodes.")
    press(sam, "Send reply")
    expect(sam.get_by_role("main").get_by_role("article").last).to_contain_text(
        "show services pathkeeper status"
    )
    mail = stack.wait_for_mail(ADDRESSES["alice"], about=number)
    alice.goto(path_in(mail, f"/cases/{number}/"))
    alice.get_by_label("Your text").fill("Attached. Node 2 is on generation 91, node 1 on 92.")
    press(alice, "Send reply")
    stack.wait_for_mail(ADDRESSES["sam"], about=number)
    sam.reload()
    expect(sam.get_by_role("main")).to_contain_text("Node 2 is on generation 91")
    do(sam, "Restored", "Mark as restored", What_restored_it="Restarted pkd on the standby.")
    expect(sam.locator(".ladder")).to_contain_text("service restored")
    do(sam, "Propose resolution", "Propose it", How_is_it_solved="Restart of pkd; patch 21.4R3-S5.1 ends it.")
    alice.goto("/")
    waiting = alice.get_by_role("region", name="wait for you")
    waiting.get_by_role("link", name="Standby controller asks for resync").click()
    expect(alice.get_by_role("main")).to_contain_text("We propose that this is solved.")
    do(alice, "Accept the resolution", "Accept and close the case")
    expect(alice.get_by_role("main")).to_contain_text("This case is closed.")
    steps = alice.locator(".ladder").get_by_role("listitem")
    expect(steps.filter(has_text="not acknowledged yet")).to_have_count(1)
    expect(steps.filter(has_text="cancelled")).to_have_count(3)


@pytest.mark.clause("C23", "C34", "C35")
def test_a_published_patch_is_told_to_those_it_is_made_for_with_a_receipt_each_and_to_nobody_else(
    page_as: PageAs, stack: Stack
) -> None:
    page = page_as("paula")
    page.goto("/software/pathkeeper/21.4R3-S5.1/")
    press(page, "Publish this release")
    told = page.get_by_role("region", name="Who was told").get_by_role("row")
    expect(told.filter(has_text="Alice Brandt")).to_be_visible()
    for address in (ADDRESSES["alice"], ADDRESSES["minsu"], "hyunwoo@hanbit.example"):
        stack.wait_for_mail(address, about="21.4R3-S5.1")
    page.reload()
    names = {row.inner_text().split("\n")[0].strip() for row in told.all()[1:]}
    # by the time of this test Anna may have gone, and Noor come
    assert names - {"Anna Kowalski", "Noor Haddad"} == {
        "Alice Brandt", "Priya Raman", "Ben Ortega",
        "김민수 (Minsu Kim)", "박현우 (Hyunwoo Park)", "이지우 (Jiwoo Lee)",
    }  # fmt: skip
    receipt = told.filter(has_text="Alice Brandt")
    expect(receipt).to_contain_text("Not yet")
    reader = page_as("alice")
    reader.goto("/inbox/")
    reader.get_by_role("main").get_by_role("link", name="21.4R3-S5.1").first.click()
    expect(reader.get_by_role("heading", name="PathKeeper 21.4R3-S5.1")).to_be_visible()
    page.reload()
    expect(receipt).not_to_contain_text("Not yet")
    for nobody in ("mallory", "ingrid"):
        assert stack.mails_to(ADDRESSES[nobody], about="21.4R3-S5.1") == []
        other = page_as(nobody)
        other.goto("/inbox/")
        expect(other.get_by_role("main")).not_to_contain_text("21.4R3-S5.1")


@pytest.mark.clause("C25")
def test_mallory_whose_contract_has_lapsed_reads_but_is_refused_with_why_since_when_and_what_would_change_it(
    page_as: PageAs,
) -> None:
    page = page_as("mallory")
    page.goto("/cases/?state=all")
    before = page.get_by_role("main").get_by_role("row").count()
    assert before > 1
    fill_in(page, "Everything is down", reference="RN-1")
    expect(page.locator("#coverage")).to_contain_text("Not covered: this case cannot be opened now")
    press(page, "Open the case")
    refusal = page.get_by_role("alert")
    expect(refusal).to_contain_text("nothing was opened")
    expect(refusal).to_contain_text(re.compile(r"The contract CS-\d{4}-\d{4} ended on .+ \(C25\)"))
    expect(refusal).to_contain_text(re.compile(r"Since\s+\d"))
    expect(refusal).to_contain_text(re.compile(r"What would change it:?\s+Renew the contract"))
    expect(page.get_by_label("In one line, what is wrong?")).to_have_value("Everything is down")
    assert flaws(page) == []
    page.goto("/cases/?state=all")
    assert page.get_by_role("main").get_by_role("row").count() == before


@pytest.mark.clause("C30", "C31")
def test_a_case_is_found_by_number_reference_and_word_and_is_no_case_at_all_to_another_customer(
    page_as: PageAs,
) -> None:
    alice = page_as("alice")
    reference = f"INC-9 {time.time_ns()}/b"
    number = open_a_p1(alice, "Zugzwang of the quorum after failover", reference=reference)
    for wanted in (number, reference.swapcase()):
        alice.goto("/help/")
        alice.get_by_role("searchbox").fill(wanted)
        alice.keyboard.press("Enter")
        assert number_on(alice) == number
    alice.keyboard.press("/")
    alice.keyboard.type("zugzwang")
    alice.keyboard.press("Enter")
    expect(alice.get_by_role("main").get_by_role("listitem").filter(has_text=number)).to_be_visible()
    mallory = page_as("mallory")
    for wanted in (number, reference, "zugzwang"):
        mallory.goto(f"/search/?q={wanted}")
        expect(mallory.get_by_role("main")).to_contain_text("Nothing found")
    missing = number[:-4] + "9999"
    assert answer_about(mallory, number) == answer_about(mallory, missing)
    assert answer_about(mallory, number)[0] == 404


@pytest.mark.clause("C9", "C12", "C25")
def test_remy_registers_next_years_contract_ada_approves_and_nordlys_is_covered_from_its_start(
    page_as: PageAs,
) -> None:
    remy = page_as("remy")
    remy.goto("/contracts/")
    ending = remy.get_by_role("row").filter(has_text="EdgeProv").filter(has_text="In force")
    ending.get_by_role("link").first.click()
    remy.get_by_role("link", name="Renew").click()
    start = remy.get_by_label("First covered day").input_value()
    remy.get_by_label("Order number").fill("MN-79001")
    remy.get_by_label("End user, as your order names it").fill("Nordlys Fiber")
    remy.get_by_label("Address, as your order gives it").fill("Ulvenveien 90, 0581 Oslo")
    remy.get_by_label("The end user uses the software internally only").check()
    press(remy, "Register the contract")
    expect(remy.get_by_role("main")).to_contain_text("Waiting for approval")
    path = urlsplit(remy.url).path
    assert remy.request.get(f"{path}approve/").status in {403, 405}
    ada = page_as("ada")
    ada.goto("/contracts/?state=waiting")
    waiting = ada.get_by_role("row").filter(has_text="EdgeProv").filter(has_text="Nordlys")
    waiting.get_by_role("link").first.click()
    assert urlsplit(ada.url).path == path
    press(ada, "Approve")
    expect(ada.get_by_role("main").locator(".head")).to_contain_text("Not started")
    number = path.strip("/").partition("/")[2]
    ingrid = page_as("ingrid")
    asked = f"/api/v1/coverage/?software=edgeprov&release=2026.03&day={start}"
    ingrid.goto("/coverage/")
    answer = ingrid.request.get(asked).json()
    assert (answer["granted"], answer["contract"]) == (True, number)


@pytest.mark.clause("C52", "C53")
def test_ada_deactivates_anna_whose_open_session_ends_with_the_next_click(
    page_as: PageAs, stack: Stack
) -> None:
    anna, ada = page_as("anna"), page_as("ada")
    anna.goto("/")
    expect(anna.get_by_role("heading", name="Your cases")).to_be_visible()
    ada.goto("/people/?q=anna@acme.example")
    ada.get_by_role("main").get_by_role("link", name="Anna Kowalski").click()
    ada.get_by_label("Open cases go to").select_option(label="Alice Brandt (Acme Telecom)")
    ada.get_by_label("Reason").fill("Left the company")
    press(ada, "Deactivate the whole account")
    expect(ada.get_by_role("status")).to_contain_text("The access of Anna Kowalski has ended.")
    anna.get_by_role("navigation", name="Sections").get_by_role("link", name="All our cases").click()
    expect(anna.get_by_role("heading", name="Sign in")).to_be_visible()
    anna.get_by_label("Email").fill(ADDRESSES["anna"])
    anna.get_by_label("Password", exact=True).fill(PASSWORD)
    press(anna, "Sign in")
    expect(anna.get_by_role("heading", name="Your cases")).not_to_be_visible()
    assert anna.request.get("/cases/", max_redirects=0).status == 302


@pytest.mark.clause("C52")
def test_alice_invites_a_colleague_whom_the_link_in_the_mail_leads_to_an_account_of_her_own(
    page_as: PageAs, stack: Stack, stranger: Page
) -> None:
    alice = page_as("alice")
    alice.goto("/people/invite/")
    alice.get_by_label("Name").fill("Noor Haddad")
    alice.get_by_label("Mail address").fill("noor@acme.example")
    alice.get_by_label("Contact", exact=True).check()
    press(alice, "Send the invitation")
    expect(alice.get_by_role("status")).to_contain_text("Noor Haddad was invited.")
    mail = stack.wait_for_mail("noor@acme.example", about="")
    stranger.goto(path_in(mail, "/account/invitation/"))
    expect(stranger.get_by_role("heading", name="Join your company")).to_be_visible()
    stranger.get_by_label("Your name").fill("Noor Haddad")
    stranger.get_by_label("Password", exact=True).fill("quiet-otter-on-the-quay-41")
    press(stranger, "Create my account")
    expect(stranger.get_by_role("heading", name="Your cases")).to_be_visible()
    expect(stranger.get_by_role("banner")).to_contain_text("Acme Telecom")
    used = stranger.request.get(path_in(mail, "/account/invitation/"))
    assert used.status == 404
