"""Replies and notes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from cases import actions
from cases.errors import CaseChanged, CaseClosed, NotAllowed, ReasonNeeded
from cases.models import Attachment, Case, CaseEvent
from cases.timeline import timeline
from cases.workflow import CaseState, EventKind, FollowUp
from files.actions import FileRefused
from notifications.models import Message
from tests.factories import NOW

pytestmark = pytest.mark.django_db
Open = Callable[..., Case]
LATER = NOW + timedelta(minutes=10)


@pytest.fixture
def taken(open_case: Open, sam: User) -> Case:
    """A P1 of Acme that Sam has taken."""
    return actions.take_case(case=open_case(priority="P1"), by=sam, now=NOW)


@pytest.mark.clause("C16", "C28")
def test_a_reply_by_jtac_is_the_first_response_once_and_starts_the_wait_for_the_next(
    taken: Case, sam: User
) -> None:
    actions.reply(case=taken, body="On it.", by=sam, now=LATER)
    case = Case.objects.get(pk=taken.pk)
    assert case.first_responded_at == LATER
    assert case.update_due_at == case.next_deadline_at == LATER + timedelta(hours=4)
    assert (case.version, case.updated_at) == (taken.version + 1, LATER)
    actions.reply(case=taken, body="Still on it.", by=sam, now=LATER + timedelta(hours=1))
    case.refresh_from_db()
    assert case.first_responded_at == LATER
    assert case.update_due_at == LATER + timedelta(hours=5)


@pytest.mark.clause("C29")
def test_a_reply_by_the_customer_is_no_response_and_tells_the_engineer(
    taken: Case, alice: User, sam: User
) -> None:
    actions.reply(case=taken, body="Any news?", by=alice, now=LATER)
    case = Case.objects.get(pk=taken.pk)
    assert case.first_responded_at is None
    assert case.next_deadline_at == case.first_response_due_at
    told = Message.objects.get(kind="case_reply")
    assert (told.recipient, told.context["text"]) == (sam.acting, "Any news?")


def test_a_reply_by_jtac_tells_the_contact_and_everybody_kept_informed(
    open_case: Open, sam: User, alice: User, anna: User
) -> None:
    case = open_case(watchers=[anna.acting])
    actions.reply(case=case, body="On it.", by=sam, now=LATER)
    told = Message.objects.filter(kind="case_reply")
    assert {message.recipient for message in told} == {alice.acting, anna.acting}


@pytest.mark.parametrize(
    ("follow_up", "text"),
    [(FollowUp.FULL_MAIL, "On it."), (FollowUp.LINK_MAIL, ""), (FollowUp.TELEPHONE, "")],
)
def test_the_words_go_by_mail_only_where_the_customer_wants_them_there(
    open_case: Open, sam: User, follow_up: FollowUp, text: str
) -> None:
    actions.reply(case=open_case(follow_up=follow_up), body="On it.", by=sam, now=LATER)
    assert Message.objects.get(kind="case_reply").context["text"] == text


@pytest.mark.clause("C68")
def test_the_customers_reply_ends_the_wait_and_what_was_left_of_the_target_is_left_now(
    taken: Case, sam: User, alice: User
) -> None:
    actions.reply(case=taken, body="On it.", by=sam, now=NOW)
    asked_at = NOW + timedelta(hours=1)
    actions.change_state(case=taken, to=CaseState.CUSTOMER_PENDING, reason="the log", by=sam, now=asked_at)
    case = Case.objects.get(pk=taken.pk)
    assert (case.next_deadline_at, case.pending_since, case.pending_reason) == (None, asked_at, "the log")
    answered_at = NOW + timedelta(hours=11)
    event = actions.reply(case=taken, body="Here.", by=alice, now=answered_at)
    assert event.detail == {"from": "customer_pending", "to": "in_progress"}
    case.refresh_from_db()
    assert (case.state, case.pending_since, case.pending_reason) == (CaseState.IN_PROGRESS, None, "")
    assert case.update_due_at == case.next_deadline_at == answered_at + timedelta(hours=3)


@pytest.mark.clause("C68")
def test_business_hours_left_before_the_wait_are_left_after_it(
    open_case: Open, sam: User, alice: User
) -> None:
    monday = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # 09:00 in California
    case = open_case(priority="P3", now=monday)
    assert case.first_response_due_at == monday + timedelta(hours=8)
    actions.change_state(
        case=case, to="customer_pending", reason="access", by=sam, now=monday + timedelta(hours=2)
    )
    actions.reply(case=case, body="Granted.", by=alice, now=monday + timedelta(hours=24))
    case.refresh_from_db(fields=["first_response_due_at"])
    assert case.first_response_due_at == monday + timedelta(hours=30)


def test_a_target_missed_before_the_wait_stays_missed(taken: Case, sam: User, alice: User) -> None:
    late = NOW + timedelta(hours=2)
    actions.change_state(case=taken, to="customer_pending", reason="log", by=sam, now=late)
    actions.reply(case=taken, body="Here.", by=alice, now=late + timedelta(hours=5))
    case = Case.objects.get(pk=taken.pk)
    assert case.first_response_due_at == NOW + timedelta(hours=1)


def test_a_reply_by_jtac_does_not_end_the_wait_and_leaves_a_whole_interval_for_afterwards(
    taken: Case, sam: User, alice: User
) -> None:
    actions.change_state(case=taken, to="customer_pending", reason="log", by=sam, now=NOW)
    actions.reply(case=taken, body="A reminder.", by=sam, now=NOW + timedelta(hours=3))
    case = Case.objects.get(pk=taken.pk)
    assert (case.state, case.next_deadline_at) == (CaseState.CUSTOMER_PENDING, None)
    actions.reply(case=taken, body="Here.", by=alice, now=NOW + timedelta(hours=9))
    case.refresh_from_db()
    assert case.update_due_at == NOW + timedelta(hours=13)


def test_files_may_speak_for_themselves_and_words_without_files_may_not_be_missing(
    taken: Case, alice: User
) -> None:
    event = actions.reply(
        case=taken, body=" ", by=alice, now=LATER, uploads=[SimpleUploadedFile("a.log", b"a")]
    )
    assert Attachment.objects.get(event=event).stored.name == "a.log"
    with pytest.raises(ReasonNeeded):
        actions.reply(case=taken, body=" ", by=alice, now=LATER)


def test_a_refused_file_takes_the_reply_along(taken: Case, alice: User) -> None:
    with pytest.raises(FileRefused):
        actions.reply(case=taken, body="See", by=alice, now=LATER, uploads=[SimpleUploadedFile("a", b"")])
    assert not CaseEvent.objects.filter(kind=EventKind.REPLY).exists()


def test_a_reply_to_what_somebody_has_changed_meanwhile_is_refused(
    taken: Case, alice: User, sam: User
) -> None:
    actions.reply(case=taken, body="On it.", by=sam, now=LATER)
    with pytest.raises(CaseChanged) as refused:
        actions.reply(case=taken, body="Hello?", by=alice, now=LATER, expected_version=taken.version)
    assert refused.value.version == taken.version + 1
    assert CaseEvent.objects.filter(kind=EventKind.REPLY).count() == 1


def test_a_closed_case_takes_no_reply(taken: Case, lena: User, alice: User) -> None:
    actions.close_case(case=taken, resolution="Gone", by=lena, now=LATER)
    with pytest.raises(CaseClosed):
        actions.reply(case=taken, body="Thanks", by=alice, now=LATER)


@pytest.mark.parametrize("who", ["mallory", "aki", "paula", "ada", "remy", "ended"])
def test_others_may_not_reply(taken: Case, who: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(NotAllowed):
        actions.reply(case=taken, body="Hello", by=request.getfixturevalue(who), now=LATER)


def test_an_internal_note_is_read_by_staff_only_and_told_to_nobody(
    taken: Case, sam: User, alice: User, aki: User
) -> None:
    before = Message.objects.count()
    note = actions.add_note(
        case=taken, body="Known defect.", by=sam, now=LATER, uploads=[SimpleUploadedFile("n", b"n")]
    )
    assert note.is_internal
    assert Message.objects.count() == before
    assert note not in timeline(taken, alice)
    assert not Attachment.objects.visible_to(alice).exists()
    for reader in (sam, aki):
        assert note in timeline(taken, reader)


def test_a_note_does_not_answer_the_customer(taken: Case, sam: User) -> None:
    actions.add_note(case=taken, body="Known defect.", by=sam, now=LATER)
    assert Case.objects.get(pk=taken.pk).first_responded_at is None


def test_a_customer_writes_no_notes(taken: Case, alice: User) -> None:
    with pytest.raises(NotAllowed):
        actions.add_note(case=taken, body="psst", by=alice, now=LATER)


def test_a_reply_asks_a_bounded_number_of_questions(taken: Case, sam: User) -> None:
    with CaptureQueriesContext(connection) as asked:
        actions.reply(case=taken, body="On it.", by=sam, now=LATER)
    assert len(asked) <= 25, [query["sql"][:120] for query in asked]
