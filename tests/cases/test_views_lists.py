"""Lists of cases: filters, order, pages by key, counts, export; queues, escalations, search, first screens."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import paging
from accounts.models import Organisation, User
from cases import actions, first_screens
from cases.models import Case
from cases.views import lists
from cases.views.exports import cell
from cases.views.filters import ORDERS, by_urgency
from notifications.models import Message
from tests import factories
from tests.conftest import SignIn, World

pytestmark = pytest.mark.django_db
OpenCase = Callable[..., Case]


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def hanbits(world: World, hanbit: Organisation, minsu: User, paula: User, ada: User) -> dict[str, Any]:
    """What a case of Hanbit needs."""
    world.software.end_users.add(hanbit)
    factories.accept(hanbit, world.release, minsu)
    factories.agreed_documents(hanbit, world.software, minsu, paula)
    factories.ContractFactory.make(
        end_user=hanbit, software=world.software, registered_by=paula.acting, decided_by=ada.acting
    )
    site = factories.SiteFactory.make(organisation=hanbit, name="Seoul")
    return {"organisation": hanbit, "site": site, "by": minsu}


def numbers(page: str) -> list[str]:
    """The cases of a list in the order shown."""
    return re.findall(r'class="syn"\s+href="/cases/([0-9-]+)/"', page)


def get(client: Client, path: str, **query: Any) -> str:
    answer = client.get(path, query)
    assert answer.status_code == 200
    return answer.content.decode()


# /cases/


def test_a_customer_sees_its_own_cases_and_staff_see_all(
    open_case: OpenCase, hanbits: dict[str, Any], alice: User, sam: User, sign_in: SignIn
) -> None:
    ours, theirs = open_case(), open_case(**hanbits)
    assert numbers(get(sign_in(alice), "/cases/")) == [ours.number]
    assert set(numbers(get(sign_in(sam), "/cases/"))) == {ours.number, theirs.number}


def test_a_restricted_case_is_listed_for_those_named_only(
    open_case: OpenCase, alice: User, anna: User, sign_in: SignIn
) -> None:
    case = open_case(is_restricted=True)
    assert numbers(get(sign_in(alice), "/cases/")) == [case.number]
    page = get(sign_in(anna), "/cases/")
    assert numbers(page) == []
    assert "No open cases" in page


def test_closed_cases_are_left_out_until_asked_for(
    open_case: OpenCase, lena: User, alice: User, sign_in: SignIn, now: datetime
) -> None:
    opened, closed = open_case(), open_case()
    actions.close_case(case=closed, resolution="Done", by=lena, now=now)
    client = sign_in(alice)
    assert numbers(get(client, "/cases/")) == [opened.number]
    assert numbers(get(client, "/cases/", state="closed")) == [closed.number]
    assert set(numbers(get(client, "/cases/", state="all"))) == {opened.number, closed.number}


def test_what_waits_for_the_customer_can_be_asked_for(
    open_case: OpenCase, sam: User, alice: User, sign_in: SignIn, now: datetime
) -> None:
    waiting, _other = open_case(), open_case()
    actions.take_case(case=waiting, by=sam, now=now)
    actions.change_state(case=waiting, to="customer_pending", reason="the log", by=sam, now=now)
    page = get(sign_in(alice), "/cases/", waiting="us")
    assert numbers(page) == [waiting.number]
    assert "Waiting for you" in page
    assert "the log" in page


def test_filters_narrow_by_priority_software_owner_and_customer(
    open_case: OpenCase,
    hanbits: dict[str, Any],
    sam: User,
    hanbit: Organisation,
    sign_in: SignIn,
    now: datetime,
) -> None:
    urgent, plain, theirs = open_case(priority="P1"), open_case(), open_case(**hanbits)
    actions.take_case(case=plain, by=sam, now=now)
    client = sign_in(sam)
    assert numbers(get(client, "/cases/", priority="P1")) == [urgent.number]
    assert len(numbers(get(client, "/cases/", priority=["P1", "P3"]))) == 3
    assert numbers(get(client, "/cases/", customer=hanbit.slug)) == [theirs.number]
    assert numbers(get(client, "/cases/", owner="me")) == [plain.number]
    assert plain.number not in numbers(get(client, "/cases/", owner="none"))
    assert len(numbers(get(client, "/cases/", software="pathkeeper"))) == 3
    assert numbers(get(client, "/cases/", software="another")) == []


@pytest.mark.attack("search as an oracle")
def test_a_customer_cannot_filter_by_another_customer(
    open_case: OpenCase, hanbits: dict[str, Any], hanbit: Organisation, alice: User, sign_in: SignIn
) -> None:
    ours = open_case()
    open_case(**hanbits)
    page = get(sign_in(alice), "/cases/", customer=hanbit.slug)
    assert numbers(page) == [ours.number]
    assert "Hanbit" not in page


@pytest.mark.attack("SQL in every parameter")
@pytest.mark.parametrize(
    "name", ["state", "priority", "software", "owner", "customer", "sort", "q", "after", "before", "waiting"]
)
@pytest.mark.parametrize(
    "value", ["' OR 1=1 --", "\x00", "x" * 5000, "한글", "9" * 30, "[]", "W10", "bnVsbA"]
)
def test_a_filter_that_makes_no_sense_is_left_out_and_never_an_error(
    open_case: OpenCase, sam: User, sign_in: SignIn, name: str, value: str
) -> None:
    open_case()
    assert sign_in(sam).get("/cases/", {name: value}).status_code == 200
    assert sign_in(sam).get("/queues/", {name: value}).status_code == 200


def test_nothing_that_matches_says_so_and_offers_a_way_out(
    open_case: OpenCase, alice: User, sign_in: SignIn
) -> None:
    open_case()
    page = get(sign_in(alice), "/cases/", priority="P1")
    assert "No case matches" in page
    assert "?state=all" in page


def test_without_any_case_the_list_offers_to_open_one(alice: User, world: World, sign_in: SignIn) -> None:
    page = get(sign_in(alice), "/cases/")
    assert "No open cases" in page
    assert 'href="/cases/new/"' in page


def test_htmx_gets_the_list_alone(open_case: OpenCase, alice: User, sign_in: SignIn) -> None:
    open_case()
    answer = sign_in(alice).get("/cases/", headers={"HX-Request": "true"})
    assert answer.content.decode().lstrip().startswith('<div id="cases"')
    assert "HX-Request" in answer["Vary"]


@pytest.mark.parametrize("path", ["/cases/", "/queues/", "/queues/?owner=none", "/escalations/"])
def test_a_list_costs_at_most_eight_queries(
    open_case: OpenCase, on_duty: None, sam: User, lena: User, sign_in: SignIn, path: str
) -> None:
    for turn in range(6):
        case = open_case(priority=["P1", "P2", "P3"][turn % 3])
        if turn % 2:
            actions.take_case(case=case, by=sam, now=timezone.now())
    client = sign_in(sam)
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        client.get(path)
    assert len(queries) <= 8, [query["sql"][:100] for query in queries]


# Pages by key


def walk(client: Client, path: str, query: dict[str, Any]) -> Iterator[list[str]]:
    """Every page of a list, forwards."""
    page = get(client, path, **query)
    while True:
        yield numbers(page)
        older = re.search(r'rel="next"\s+href="([^"]+)"', page)
        if older is None:
            return
        page = get(client, path + older[1].replace("&amp;", "&"))


@pytest.mark.parametrize("sort", sorted(ORDERS))
def test_every_order_pages_through_every_case_once_and_back(
    open_case: OpenCase, sam: User, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    monkeypatch.setattr(lists, "PAGE_SIZE", 2)
    start = factories.NOW
    for turn in range(7):
        case = open_case(now=start + timedelta(minutes=turn // 2), priority=["P3", "P1", "P4"][turn % 3])
        if turn in (2, 5):
            actions.take_case(case=case, by=sam, now=start + timedelta(hours=1))
            actions.change_state(
                case=case, to="customer_pending", reason="x", by=sam, now=start + timedelta(hours=1)
            )
    client = sign_in(sam)
    pages = list(walk(client, "/cases/", {"sort": sort}))
    forwards = [number for page in pages for number in page]
    assert len(forwards) == len(set(forwards)) == 7
    columns = (key.order(backwards=False) for key in paging.keys_of(Case, ORDERS[sort]))
    whole = [case.number for case in Case.objects.order_by(*columns)]
    assert forwards == whole
    last = paging.part_of(Case.objects.all(), ORDERS[sort], size=5)
    back = paging.part_of(Case.objects.all(), ORDERS[sort], before=last.older, size=2)
    assert [case.number for case in back.rows] == whole[2:4]
    assert back.newer
    assert back.older


def test_the_count_is_exact_up_to_a_thousand_and_then_says_so() -> None:
    assert lists.cases_in_words(0) == "0 cases"
    assert lists.cases_in_words(1) == "1 case"
    assert lists.cases_in_words(1000) == "1,000 cases"
    assert lists.cases_in_words(1001) == "1,000+ cases"


# Export


def exported(client: Client, path: str) -> list[list[str]]:
    answer = client.get(path)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith("attachment;")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.reader(io.StringIO(text)))


def test_the_export_holds_what_is_shown_on_all_pages(
    open_case: OpenCase,
    hanbits: dict[str, Any],
    alice: User,
    sam: User,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cases.views.exports.CHUNK", 2)
    for _turn in range(5):
        open_case()
    open_case(**hanbits, priority="P1")
    rows = exported(sign_in(alice), "/cases/?format=csv")
    assert len(rows) == 6
    assert "Hanbit Mobile" not in str(rows)
    assert [row[0] for row in exported(sign_in(sam), "/cases/?format=csv&priority=P1")][1:] == [
        "Hanbit Mobile"
    ]


@pytest.mark.attack("header injection and CSV formulas")
@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "＝1", "\r=1"])
def test_no_cell_is_a_formula(open_case: OpenCase, alice: User, sign_in: SignIn, text: str) -> None:
    assert cell(text).startswith("'")
    open_case(synopsis=f"{text} x", customer_reference=text.strip() or "x")
    row = exported(sign_in(alice), "/cases/?format=csv")[1]
    assert not any(value.lstrip(" ").startswith(("=", "+", "-", "@", "＝")) for value in row)


# /queues/


def test_queues_show_the_unassigned_first_then_mine_then_all(
    open_case: OpenCase, sam: User, sofia: User, sign_in: SignIn, now: datetime
) -> None:
    free, mine, hers = open_case(), open_case(), open_case()
    actions.take_case(case=mine, by=sam, now=now)
    actions.take_case(case=hers, by=sofia, now=now)
    page = get(sign_in(sam), "/queues/")
    parts = [numbers(part) for part in page.split("<section")[1:]]
    assert parts[0] == [free.number]
    assert parts[1] == [mine.number]
    assert set(parts[2]) == {free.number, mine.number, hers.number}


def test_urgency_puts_an_overdue_p1_before_an_older_p3_and_waiting_last(
    open_case: OpenCase, sam: User, now: datetime
) -> None:
    late_p3 = open_case(now=now - timedelta(days=9))
    fresh_p1 = open_case(now=now - timedelta(minutes=5), priority="P1")
    fresh_p4 = open_case(now=now - timedelta(minutes=5), priority="P4")
    waiting = open_case(now=now - timedelta(days=9), priority="P1")
    actions.take_case(case=waiting, by=sam, now=now)
    actions.change_state(case=waiting, to="customer_pending", reason="x", by=sam, now=now)
    ordered = by_urgency(Case.objects.all(), now).order_by("urgency", "urgent_at")
    assert list(ordered) == [fresh_p1, late_p3, fresh_p4, waiting]


def test_next_case_goes_to_the_most_urgent_that_is_mine_or_nobodys(
    open_case: OpenCase, sam: User, sofia: User, sign_in: SignIn, now: datetime
) -> None:
    hers, free, mine = open_case(priority="P1"), open_case(priority="P2"), open_case()
    actions.take_case(case=hers, by=sofia, now=now)
    actions.take_case(case=mine, by=sam, now=now)
    client = sign_in(sam)
    assert client.get("/queues/next/")["Location"] == f"/cases/{free.number}/"
    assert client.get(f"/queues/next/?after={free.number}")["Location"] == f"/cases/{mine.number}/"


def test_next_case_says_when_nothing_waits(sam: User, sign_in: SignIn) -> None:
    page = sign_in(sam).get("/queues/next/", follow=True)
    assert "Nothing waits" in page.content.decode()


def test_a_case_is_taken_from_the_queue_with_one_click(
    open_case: OpenCase, sam: User, sign_in: SignIn
) -> None:
    case = open_case()
    client = sign_in(sam)
    assert f'action="/cases/{case.number}/take/"' in get(client, "/queues/")
    assert client.post(f"/cases/{case.number}/take/").status_code == 302
    case.refresh_from_db()
    assert (case.owner, case.state) == (sam.acting, "in_progress")


def test_the_chip_tells_of_new_cases_and_mostly_answers_not_modified(
    open_case: OpenCase, sam: User, sign_in: SignIn
) -> None:
    first = open_case()
    client = sign_in(sam)
    poll = f"/queues/news/?since={first.pk}"
    quiet = client.get(poll)
    assert quiet.content.strip() == b""
    etag = quiet["ETag"]
    assert client.get(poll, headers={"If-None-Match": etag}).status_code == 304
    open_case()
    news = client.get(poll, headers={"If-None-Match": etag})
    assert "1 new case" in news.content.decode()
    assert "no-cache" in news["Cache-Control"]


@pytest.mark.parametrize("since", ["", "x", "-1", "9" * 40, "\x00", "١"])
def test_a_poll_that_makes_no_sense_hears_nothing(
    world: World, sam: User, sign_in: SignIn, since: str
) -> None:
    assert sign_in(sam).get("/queues/news/", {"since": since}).status_code == 200


@pytest.mark.parametrize("path", ["/queues/", "/queues/news/", "/queues/next/", "/escalations/"])
def test_queues_and_escalations_are_for_staff(
    alice: User, remy: User, paula: User, world: World, sign_in: SignIn, path: str
) -> None:
    for stranger in (alice, remy, paula):
        assert sign_in(stranger).get(path).status_code == 403


# /escalations/


@pytest.mark.clause("C22")
def test_a_manager_sees_what_burns_and_acknowledges_with_one_tap(
    open_case: OpenCase, on_duty: None, lena: User, sign_in: SignIn
) -> None:
    case = open_case(priority="P1")
    open_case(priority="P3")
    client = sign_in(lena)
    page = get(client, "/escalations/")
    assert numbers(page) == [case.number]
    assert "1 alert not acknowledged" in page
    alert = Message.objects.get(recipient=lena.acting)
    assert f"/inbox/{alert.pk}/acknowledge/" in page
    done = client.post(f"/inbox/{alert.pk}/acknowledge/", {"next": "/escalations/", "note": ""})
    assert done["Location"] == "/escalations/"
    page = get(client, "/escalations/")
    assert "not acknowledged</span>" not in page
    assert "acknowledged" in page


def test_a_restored_case_burns_no_more(
    open_case: OpenCase, on_duty: None, sam: User, lena: User, sign_in: SignIn
) -> None:
    case = open_case(priority="P2")
    actions.mark_restored(case=case, by=sam, now=timezone.now())
    assert "Nothing is burning" in get(sign_in(lena), "/escalations/")


# /search/


@pytest.mark.clause("C30", "C31")
def test_a_number_or_the_own_reference_leads_straight_to_the_case(
    open_case: OpenCase, alice: User, sign_in: SignIn
) -> None:
    case = open_case(customer_reference="INC0042117")
    client = sign_in(alice)
    for text in (case.number, case.number.replace("-", ""), f"  {case.number} ", "INC0042117", "inc0042117"):
        assert client.get("/search/", {"q": text}).headers.get("Location") == f"/cases/{case.number}/", text


def test_a_reference_that_stands_on_two_cases_shows_both(
    open_case: OpenCase, alice: User, sign_in: SignIn
) -> None:
    both = {open_case(customer_reference="INC1").number for _turn in range(2)}
    page = get(sign_in(alice), "/search/", q="INC1")
    assert both <= set(re.findall(r"/cases/([0-9-]+)/", page))


def test_a_word_from_its_text_finds_the_case_and_shows_where_it_stands(
    open_case: OpenCase, alice: User, sam: User, sign_in: SignIn, now: datetime
) -> None:
    case = open_case()
    actions.reply(case=case, body="The <b>inodes</b> of core-rtr-01 are gone.", by=sam, now=now)
    page = get(sign_in(alice), "/search/", q="inodes")
    assert case.number in page
    assert "&lt;b&gt;<mark>inodes</mark>&lt;/b&gt;" in page


@pytest.mark.attack("search as an oracle")
def test_another_customer_finds_nothing_neither_by_number_nor_by_word(
    open_case: OpenCase, alice: User, mallory: User, sam: User, sign_in: SignIn, now: datetime
) -> None:
    case = open_case(customer_reference="INC0042117")
    actions.add_note(case=case, body="between us: quicksilver", by=sam, now=now)
    for text in (case.number, "INC0042117", "maintenance", "quicksilver"):
        page = get(sign_in(mallory), "/search/", q=text)
        assert "Nothing found" in page
        assert f"/cases/{case.number}/" not in page
    assert "Nothing found" in get(sign_in(alice), "/search/", q="quicksilver")
    assert case.number in get(sign_in(sam), "/search/", q="quicksilver")


@pytest.mark.parametrize("text", ["", "\x00", "'", '"', "<script>", "a" * 5000, "&|!:*", "한", "%"])
def test_whatever_is_typed_is_an_answer(open_case: OpenCase, alice: User, sign_in: SignIn, text: str) -> None:
    open_case()
    page = sign_in(alice).get("/search/", {"q": text})
    assert page.status_code == 200
    assert "“<script>" not in page.content.decode()


def test_what_was_searched_is_said_when_nothing_is_found(alice: User, world: World, sign_in: SignIn) -> None:
    page = get(sign_in(alice), "/search/", q="zzzz")
    assert "We looked for a case number, your own reference, and every word" in page


# First screens


def test_a_customers_first_screen_puts_what_waits_for_them_first(
    open_case: OpenCase, sam: User, alice: User, sign_in: SignIn, now: datetime
) -> None:
    other, waiting = open_case(), open_case()
    actions.take_case(case=waiting, by=sam, now=now)
    actions.propose_resolution(case=waiting, resolution="Like this", by=sam, now=now)
    page = get(sign_in(alice), "/")
    assert numbers(page) == [waiting.number, other.number]
    assert "1 case waits for you" in page
    assert "PathKeeper: covered until 31 March 2027" in page


def test_a_lapsed_customers_first_screen_says_that_nothing_is_covered(
    world: World, mallory: User, sign_in: SignIn
) -> None:
    assert "not covered; the last contract ran until 31 October 2026" in get(sign_in(mallory), "/")


def test_an_engineers_first_screen_names_the_next_case(open_case: OpenCase, sam: User, now: datetime) -> None:
    open_case(now=now)
    urgent = open_case(priority="P1", now=now)
    assert first_screens.engineer(sam, now)["next_case"] == urgent


def test_a_managers_first_screen_shows_the_alert_to_acknowledge(
    open_case: OpenCase, on_duty: None, lena: User, sign_in: SignIn
) -> None:
    case = open_case(priority="P1")
    page = get(sign_in(lena), "/")
    assert case.number in page
    assert "/acknowledge/" in page


def test_first_screens_cost_at_most_fifteen_queries(
    open_case: OpenCase, on_duty: None, alice: User, sam: User, lena: User, sign_in: SignIn
) -> None:
    for priority in ("P1", "P2", "P3", "P3"):
        actions.take_case(case=open_case(priority=priority), by=sam, now=timezone.now())
        open_case(priority=priority)
    for who in (alice, sam, lena):
        client = sign_in(who)
        client.get("/")
        with CaptureQueriesContext(connection) as queries:
            client.get("/")
        assert len(queries) <= 15, (who, len(queries))
