"""The case page: what each reader sees, what they write, and what happens when it changes under them."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from cases import actions
from cases.models import Attachment, Case, CaseEvent
from notifications.models import Delivery, DeliveryState, Message
from tests.conftest import SignIn, World

pytestmark = pytest.mark.django_db
OpenCase = Callable[..., Case]


@pytest.fixture
def case(open_case: OpenCase, on_duty: None) -> Case:
    """A P1 of Acme, opened ten minutes ago."""
    upload = SimpleUploadedFile("var-log.txt", b"E_SPOOL_FULL\n")
    return open_case(
        priority="P1",
        now=timezone.now() - timedelta(minutes=10),
        customer_reference="INC0042117",
        uploads=[upload],
    )


def page_of(client: Client, case: Case, **query: str) -> str:
    answer = client.get(f"/cases/{case.number}/", query)
    assert answer.status_code == 200
    return answer.content.decode()


def without_nonces(answer: Any) -> bytes:
    """What may differ between two answers: tokens, keys, and the address that was asked for."""
    body = answer.content.replace(answer.wsgi_request.path.encode(), b"")
    body = re.sub(
        rb'(csrfmiddlewaretoken" value|csrf-token"\s+content|idempotency_key" value)="[^"]*"', b"", body
    )
    return bytes(re.sub(rb"tip-[0-9a-f]+", b"", body))


# Who sees what


@pytest.mark.clause("C28")
@pytest.mark.attack("another organisation's object by number or id")
def test_a_foreign_number_and_a_missing_one_get_the_same_answer(
    case: Case, mallory: User, sign_in: SignIn
) -> None:
    client = sign_in(mallory)
    foreign = client.get(f"/cases/{case.number}/")
    missing = client.get(f"/cases/{case.number[:-4]}9999/")
    assert foreign.status_code == missing.status_code == 404
    assert without_nonces(foreign) == without_nonces(missing)
    assert dict(foreign.headers) == dict(missing.headers)


@pytest.mark.parametrize("verb", ["reply", "accept", "raise-priority", "escalate", "take", "note", "close"])
def test_nobody_acts_on_a_case_they_may_not_see(
    case: Case, mallory: User, sign_in: SignIn, verb: str
) -> None:
    before = CaseEvent.objects.count()
    foreign = sign_in(mallory).post(f"/cases/{case.number}/{verb}/", {"body": "hello", "reason": "mine"})
    assert foreign.status_code == 404
    assert CaseEvent.objects.count() == before


@pytest.mark.parametrize(
    "number", ["1", "2026-1122-000a", "2026-1122-0001%00", "２０２６-1122-0001", "x" * 500]
)
def test_what_is_no_number_is_not_found(alice: User, world: World, sign_in: SignIn, number: str) -> None:
    assert sign_in(alice).get(f"/cases/{number}/").status_code == 404


def test_the_page_says_what_where_how_bad_and_by_which_contract(
    case: Case, alice: User, sign_in: SignIn
) -> None:
    page = page_of(sign_in(alice), case)
    for words in (case.number, "Paths are not computed", "INC0042117", "PathKeeper", "21.4R3-S5", "San Jose"):
        assert words in page
    assert "Covered until 31 March 2027" in page
    assert case.contract.number in page
    assert "confirmed by Alice Brandt" in page


@pytest.mark.clause("C22")
def test_staff_see_who_was_alerted_when_it_was_sent_delivered_and_acknowledged(
    case: Case, sam: User, sign_in: SignIn
) -> None:
    sent_at = case.opened_at + timedelta(seconds=2)
    Delivery.objects.filter(channel="mail").update(state=DeliveryState.SENT, sent_at=sent_at)
    page = page_of(sign_in(sam), case)
    assert "Lena Fischer" in page
    assert f"sent {sent_at:%H:%M:%S}" in page
    assert "not acknowledged yet" in page
    assert "Omar Haddad" in page, "who comes next"


@pytest.mark.clause("C22")
def test_a_customer_sees_that_management_was_informed_and_at_which_level_but_not_whom(
    case: Case, alice: User, sign_in: SignIn
) -> None:
    page = page_of(sign_in(alice), case)
    assert "Our management was informed of this P1: level <b>L1</b>" in page
    assert "Duty manager" in page
    assert "Lena Fischer" not in page
    assert "Omar Haddad" not in page


def test_the_duty_manager_acknowledges_from_the_case_page(case: Case, lena: User, sign_in: SignIn) -> None:
    client = sign_in(lena)
    alert = Message.objects.get(recipient=lena.acting)
    assert f"/inbox/{alert.pk}/acknowledge/" in page_of(client, case)
    client.post(f"/inbox/{alert.pk}/acknowledge/", {"next": f"/cases/{case.number}/", "note": ""})
    page = page_of(client, case)
    assert "<b>Lena Fischer</b> acknowledged the alert L1" in page
    assert f"/inbox/{alert.pk}/acknowledge/" not in page


def test_opening_the_page_opens_the_messages_about_the_case(
    case: Case, alice: User, sam: User, sign_in: SignIn
) -> None:
    actions.reply(case=case, body="We look into it.", by=sam, now=timezone.now())
    Delivery.objects.filter(channel="inbox").update(state=DeliveryState.CONFIRMED, sent_at=timezone.now())
    page_of(sign_in(alice), case)
    assert not Delivery.objects.filter(recipient=alice.acting, channel="inbox", opened_at=None).exists()


def test_fifty_entries_cost_at_most_twelve_queries(
    case: Case, sam: User, alice: User, sign_in: SignIn
) -> None:
    for turn in range(48):
        upload = SimpleUploadedFile(f"{turn}.log", b"x")
        actions.reply(case=case, body=f"Entry {turn}", by=sam, now=timezone.now(), uploads=[upload])
    for reader in (sam, alice):
        client = sign_in(reader)
        page_of(client, case)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page_of(client, case)
        assert len(queries) <= 12, [query["sql"][:90] for query in queries]


def test_a_very_long_story_shows_its_end_first_and_all_of_it_on_demand(
    case: Case, sam: User, sign_in: SignIn
) -> None:
    now = timezone.now()
    CaseEvent.objects.bulk_create(
        CaseEvent(case=case, kind="reply", at=now, by=sam.acting, body=f"word-{n}-end") for n in range(205)
    )
    client = sign_in(sam)
    assert "word-0-end" not in page_of(client, case)
    assert "word-204-end" in page_of(client, case)
    assert "word-0-end" in page_of(client, case, entries="all")


# Writing


@pytest.mark.clause("C29")
def test_a_customer_replies_with_a_file(case: Case, alice: User, sign_in: SignIn) -> None:
    client = sign_in(alice)
    upload = SimpleUploadedFile("df.txt", b"inodes 100%\n")
    answer = client.post(
        f"/cases/{case.number}/reply/", {"kind": "reply", "body": "Here **it** is.", "files": upload}
    )
    assert answer["Location"] == f"/cases/{case.number}/"
    page = page_of(client, case)
    assert "Here <strong>it</strong> is." in page
    assert "df.txt" in page
    assert 'value="note"' not in page


def test_an_internal_note_is_never_shown_to_the_customer(
    case: Case, sam: User, alice: User, sign_in: SignIn
) -> None:
    upload = SimpleUploadedFile("secret.txt", b"x")
    sign_in(sam).post(
        f"/cases/{case.number}/reply/", {"kind": "note", "body": "Same as D-1182", "files": upload}
    )
    note = CaseEvent.objects.get(body="Same as D-1182")
    assert note.is_internal, "what the composer calls a note never becomes a reply"
    assert "internal note, not visible to the customer" in page_of(sign_in(sam), case)
    client = sign_in(alice)
    assert "D-1182" not in page_of(client, case)
    stored = Attachment.objects.get(event=note).stored_id
    assert client.get(f"/cases/{case.number}/files/{stored}/").status_code == 404
    file = sign_in(sam).get(f"/cases/{case.number}/files/{stored}/")
    assert b"".join(file.streaming_content) == b"x"  # type: ignore[attr-defined]


def test_a_customer_writes_no_note(case: Case, alice: User, sign_in: SignIn) -> None:
    answer = sign_in(alice).post(f"/cases/{case.number}/reply/", {"kind": "note", "body": "x"})
    assert answer.status_code == 403
    assert sign_in(alice).post(f"/cases/{case.number}/note/", {"body": "x"}).status_code == 403


def test_an_auditor_reads_everything_and_writes_nothing(case: Case, aki: User, sign_in: SignIn) -> None:
    client = sign_in(aki)
    page = page_of(client, case)
    assert 'id="composer"' not in page
    assert client.post(f"/cases/{case.number}/reply/", {"body": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "Write something before you send it."),
        ("  \n ", "Write something before you send it."),
        ("x" * 100_001, "at most 100000 characters"),
        ("null \x00 byte", "Null characters are not allowed."),
        ("a \x07 bell", "control character U+0007"),
    ],
)
def test_a_reply_that_cannot_be_kept_is_told_and_not_sent(
    case: Case, alice: User, sign_in: SignIn, body: str, words: str
) -> None:
    before = CaseEvent.objects.count()
    page = sign_in(alice).post(f"/cases/{case.number}/reply/", {"body": body, "seen": "1"})
    assert page.status_code == 400
    assert words in page.content.decode()
    assert "Not sent yet" in page.content.decode()
    assert CaseEvent.objects.count() == before


def test_a_note_that_failed_stays_a_note(case: Case, sam: User, sign_in: SignIn) -> None:
    empty = SimpleUploadedFile("x.log", b"")
    page = sign_in(sam).post(
        f"/cases/{case.number}/reply/", {"kind": "note", "body": "between us", "files": empty}
    )
    text = page.content.decode()
    assert page.status_code == 400
    assert "between us" in text
    assert re.search(r'value="note"[^>]*checked', text)


@pytest.mark.parametrize("version", ["x", "-1", "99999999999999999999999"])
def test_a_version_that_is_no_number_changes_nothing(
    case: Case, alice: User, sign_in: SignIn, version: str
) -> None:
    data = {"body": "hello", "expected_version": version, "seen": "1"}
    assert sign_in(alice).post(f"/cases/{case.number}/reply/", data).status_code in (400, 409)


# When it changes under you


def version_and_seen(page: str) -> dict[str, str]:
    form = page[page.index('id="composer"') :]
    found = {}
    for name in ("expected_version", "seen"):
        match = re.search(rf'name="{name}"\s+value="(\d+)"', form)
        assert match is not None
        found[name] = match[1]
    return found


def test_a_reply_to_a_case_that_changed_meanwhile_is_kept_and_the_change_shown(
    case: Case, sam: User, sofia: User, sign_in: SignIn
) -> None:
    client = sign_in(sam)
    before = version_and_seen(page_of(client, case))
    actions.reply(case=case, body="I have answered already.", by=sofia, now=timezone.now())
    answer = client.post(f"/cases/{case.number}/reply/", {"body": "My long text", **before})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "The case has changed meanwhile" in page
    assert "I have answered already." in page
    assert "My long text" in page
    assert not CaseEvent.objects.filter(body="My long text").exists()
    again = client.post(f"/cases/{case.number}/reply/", {"body": "My long text", **version_and_seen(page)})
    assert again.status_code == 302
    assert CaseEvent.objects.filter(body="My long text").count() == 1


@pytest.mark.attack("search as an oracle")
def test_an_internal_note_does_not_stop_the_customer(
    case: Case, alice: User, sam: User, sign_in: SignIn
) -> None:
    client = sign_in(alice)
    before = version_and_seen(page_of(client, case))
    actions.add_note(case=case, body="between us", by=sam, now=timezone.now())
    upload = SimpleUploadedFile("df.txt", b"inodes\n")
    answer = client.post(f"/cases/{case.number}/reply/", {"body": "Mine", "files": upload, **before})
    assert answer.status_code == 302
    assert Attachment.objects.get(stored__name="df.txt").stored.size == 7


# Files


def test_a_file_comes_as_a_download_and_never_as_a_page(case: Case, alice: User, sign_in: SignIn) -> None:
    stored = Attachment.objects.get().stored
    answer = sign_in(alice).get(f"/cases/{case.number}/files/{stored.pk}/")
    assert answer["Content-Disposition"] == 'attachment; filename="var-log.txt"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert b"".join(answer.streaming_content) == b"E_SPOOL_FULL\n"  # type: ignore[attr-defined]


def test_a_file_of_another_customer_is_not_found(
    case: Case, mallory: User, alice: User, sign_in: SignIn
) -> None:
    stored = Attachment.objects.get().stored
    foreign = sign_in(mallory).get(f"/cases/{case.number}/files/{stored.pk}/")
    missing = sign_in(mallory).get(f"/cases/{case.number}/files/{uuid4()}/")
    assert foreign.status_code == missing.status_code == 404
    assert without_nonces(foreign) == without_nonces(missing)
    other_case = case.number[:-4] + "9999"
    assert sign_in(alice).get(f"/cases/{other_case}/files/{stored.pk}/").status_code == 404


def test_what_people_write_is_never_run(open_case: OpenCase, alice: User, sign_in: SignIn) -> None:
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    case = open_case(
        synopsis=evil, description=evil + "\n\n[x](javascript:alert(3)) ![p](http://e.example/p)"
    )
    page = page_of(sign_in(alice), case)
    assert "<script>alert" not in page
    assert "<img" not in page
    assert 'javascript:alert(3)"' not in page


# Doing


def post(client: Client, case: Case, verb: str, **data: Any) -> Any:
    return client.post(f"/cases/{case.number}/{verb}/", data)


@pytest.mark.clause("C21")
def test_an_engineer_takes_restores_proposes_and_the_customer_accepts(
    case: Case, sam: User, alice: User, sign_in: SignIn
) -> None:
    engineer, customer = sign_in(sam), sign_in(alice)
    assert post(engineer, case, "take").status_code == 302
    assert post(engineer, case, "restored", note="Restarted the spooler").status_code == 302
    assert post(engineer, case, "propose", resolution="Use 2.6.1-p2", cause="D-1182").status_code == 302
    page = page_of(customer, case)
    assert "We propose that this is solved." in page
    assert "Use 2.6.1-p2" in page
    assert post(customer, case, "accept").status_code == 302
    case.refresh_from_db()
    assert (case.state, case.owner, case.resolution) == ("closed", sam.acting, "Use 2.6.1-p2")
    assert "This case is closed." in page_of(customer, case)
    assert post(customer, case, "reopen", reason="It is back").status_code == 302
    case.refresh_from_db()
    assert case.state == "in_progress"


@pytest.mark.clause("C56", "C68")
def test_asking_the_customer_says_for_what_and_their_reply_ends_the_wait(
    case: Case, sam: User, alice: User, sign_in: SignIn
) -> None:
    engineer, customer = sign_in(sam), sign_in(alice)
    post(engineer, case, "take")
    assert post(engineer, case, "ask", reason="").status_code == 400
    assert post(engineer, case, "ask", reason="df -i of both nodes").status_code == 302
    page = page_of(customer, case)
    assert "We wait for you:" in page
    assert "df -i of both nodes" in page
    post(customer, case, "reply", body="inodes are gone")
    case.refresh_from_db()
    assert case.state == "in_progress"


@pytest.mark.clause("C22")
def test_a_customer_raises_denies_and_asks_for_escalation(
    open_case: OpenCase, on_duty: None, sam: User, alice: User, sign_in: SignIn
) -> None:
    case = open_case(now=timezone.now() - timedelta(hours=1))
    customer, engineer = sign_in(alice), sign_in(sam)
    assert post(customer, case, "raise-priority", to="P1", reason="Everything is down").status_code == 302
    post(engineer, case, "take")
    post(engineer, case, "restored")
    assert "Service is not restored" in page_of(customer, case)
    assert post(customer, case, "deny-restoration", reason="Still down").status_code == 302
    assert post(customer, case, "escalate", reason="engineer_now", note="Call us").status_code == 302
    case.refresh_from_db()
    assert (case.priority, case.restored_at) == ("P1", None)
    assert case.cycles.count() == 3
    page = page_of(customer, case)
    assert "An engineer now" in page
    assert "Still down" in page


@pytest.mark.parametrize(
    ("verb", "data", "words"),
    [
        ("raise-priority", {"to": "P4", "reason": "x"}, "P4 is not one of the available choices"),
        ("raise-priority", {"to": "P1", "reason": " "}, "This field is required."),
        ("raise-priority", {"to": "P1", "reason": "x" * 401}, "at most 400 characters"),
        ("raise-priority", {"to": "\x00", "reason": "x"}, "not one of the available choices"),
        ("escalate", {"reason": "free beer"}, "free beer is not one of the available choices"),
        ("escalate", {"reason": "other", "note": "a \x1b b"}, "control character U+001B"),
        ("accept", {}, "No resolution waits for your answer."),
        ("reject", {"reason": "no"}, "No resolution waits for your answer."),
        ("deny-restoration", {"reason": "no"}, "Nobody has marked service as restored."),
        ("reopen", {"reason": "no"}, "This case is open."),
    ],
)
def test_what_cannot_be_done_is_told_on_a_page_that_keeps_the_text(
    open_case: OpenCase, alice: User, sign_in: SignIn, verb: str, data: dict[str, str], words: str
) -> None:
    case = open_case()
    answer = post(sign_in(alice), case, verb, **data)
    page = answer.content.decode()
    assert answer.status_code in (400, 409)
    assert words in page
    assert data.get("reason", "") in page or verb in ("raise-priority", "escalate")
    case.refresh_from_db()
    assert (case.priority, case.state, case.version) == ("P3", "new", 1)


@pytest.mark.parametrize(
    "verb", ["take", "assign", "ask", "state", "lower-priority", "restored", "propose", "close"]
)
def test_what_jtac_does_is_not_for_customers(case: Case, alice: User, sign_in: SignIn, verb: str) -> None:
    answer = post(sign_in(alice), case, verb, to="P4", reason="x", resolution="x")
    assert answer.status_code == 403


@pytest.mark.parametrize("verb", ["accept", "reject", "request-closure", "escalate"])
def test_what_the_customer_answers_is_not_for_jtac(case: Case, sam: User, sign_in: SignIn, verb: str) -> None:
    assert post(sign_in(sam), case, verb, reason="x").status_code == 403


def test_every_form_stands_on_a_page_of_its_own_too(case: Case, sam: User, sign_in: SignIn) -> None:
    client = sign_in(sam)
    post(client, case, "take")
    for verb in ("assign", "ask", "state", "restored", "propose", "lower-priority", "close"):
        page = client.get(f"/cases/{case.number}/{verb}/")
        assert page.status_code == 200, verb
        assert f'action="/cases/{case.number}/{verb}/"' in page.content.decode()
    raised = client.get(f"/cases/{case.number}/raise-priority/").content.decode()
    assert "This is not possible in the present state" in raised, "a P1 cannot be raised"
    assert 'action="/cases' not in raised


@pytest.mark.attack("foreign ids in the body")
def test_a_case_is_assigned_to_engineers_only(
    case: Case, sam: User, sofia: User, alice: User, paula: User, sign_in: SignIn
) -> None:
    assert sofia.acting is not None
    client = sign_in(sam)
    for stranger in (alice, paula):
        assert stranger.acting is not None
        assert post(client, case, "assign", to=stranger.acting.pk).status_code == 400
    assert post(client, case, "assign", to=sofia.acting.pk).status_code == 302
    case.refresh_from_db()
    assert case.owner == sofia.acting
    assert post(client, case, "assign").status_code == 400, "nobody is said in so many words"
    assert post(client, case, "assign", to="nobody").status_code == 302
    case.refresh_from_db()
    assert case.owner is None


def test_an_action_on_a_case_that_changed_shows_the_change_and_keeps_the_text(
    case: Case, sam: User, sofia: User, sign_in: SignIn
) -> None:
    client = sign_in(sam)
    before = version_and_seen(page_of(client, case))
    actions.take_case(case=case, by=sofia, now=timezone.now())
    answer = post(client, case, "lower-priority", to="P3", reason="A workaround holds", **before)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "The case has changed meanwhile" in page
    assert "took the case" in page
    assert "A workaround holds" in page
    case.refresh_from_db()
    assert case.priority == "P1"
    found = {name: re.search(rf'name="{name}"[^>]*value="(\d+)"', page) for name in before}
    again = {name: match[1] for name, match in found.items() if match}
    assert (
        post(client, case, "lower-priority", to="P3", reason="A workaround holds", **again).status_code == 302
    )


def test_a_double_click_takes_a_case_once(case: Case, sam: User, sign_in: SignIn) -> None:
    client, key = sign_in(sam), str(uuid4())
    for _click in range(2):
        assert post(client, case, "take", idempotency_key=key).status_code == 302
    assert CaseEvent.objects.filter(case=case, kind="assigned").count() == 1
