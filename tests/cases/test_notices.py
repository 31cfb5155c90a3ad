"""Who may be told about a case at the moment of sending."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, User
from cases import actions, ladder
from cases.models import Case
from cases.notices import may_tell
from notifications import kinds
from notifications.models import Delivery
from notifications.rendering import inbox_line, mail_of
from tests.factories import NOW

pytestmark = pytest.mark.django_db
Open = Callable[..., Case]


def pair(user: User, case: Case) -> tuple[int, str]:
    assert user.acting is not None
    return user.acting.pk, case.subject


def test_those_who_see_the_case_may_be_told_and_nobody_else(
    open_case: Open, alice: User, anna: User, sam: User, lena: User, aki: User, mallory: User, paula: User
) -> None:
    case = open_case()
    people = [alice, anna, sam, lena, aki, mallory, paula]
    allowed = may_tell([pair(user, case) for user in people])
    assert allowed == {pair(user, case) for user in (alice, anna, sam, lena, aki)}
    assert allowed == {pair(user, case) for user in people if Case.objects.visible_to(user).exists()}


def test_of_a_restricted_case_only_those_named(open_case: Open, alice: User, anna: User, sam: User) -> None:
    case = open_case(is_restricted=True)
    assert may_tell([pair(user, case) for user in (alice, anna, sam)]) == {pair(alice, case), pair(sam, case)}
    watched = open_case(is_restricted=True, watchers=[anna.acting])
    assert may_tell([pair(anna, case), pair(anna, watched)]) == {pair(anna, watched)}


@pytest.mark.attack("notification to somebody who may no longer see the case")
def test_nobody_whose_membership_or_account_has_ended(open_case: Open, alice: User, sam: User) -> None:
    case = open_case()
    Membership.objects.filter(user=alice).update(ended_at=NOW)
    sam.is_active = False
    sam.save()
    assert may_tell([pair(alice, case), pair(sam, case)]) == set()


def test_nothing_about_what_does_not_exist(open_case: Open, alice: User) -> None:
    case = open_case()
    assert alice.acting is not None
    unknown = [(alice.acting.pk, "case:2026-1122-9999"), (0, case.subject), (alice.acting.pk, "release:1")]
    assert may_tell(unknown) == set()
    assert may_tell([]) == set()


def test_a_thousand_pairs_cost_three_questions(open_case: Open, alice: User, anna: User) -> None:
    cases = [open_case(is_restricted=n % 2 == 0) for n in range(4)]
    pairs = [pair(user, case) for user in (alice, anna) for case in cases] * 125
    with CaptureQueriesContext(connection) as asked:
        assert len(may_tell(pairs)) == 6
    assert len(asked) == 3


@pytest.mark.parametrize(
    "name", ["case_alert", "case_escalation", "case_opened", "case_reply", "case_update"]
)
def test_every_kind_asks_before_it_is_sent(name: str) -> None:
    assert kinds.get(name).may_tell is may_tell


def test_alerts_are_mandatory_and_ask_for_an_acknowledgement() -> None:
    alert = kinds.get("case_alert")
    assert alert.mandatory
    assert alert.needs_acknowledgement


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_message_of_a_whole_story_can_be_read(
    open_case: Open, on_duty: None, alice: User, anna: User, sam: User, lena: User, language: str
) -> None:
    type(alice).objects.update(language=language)
    case = open_case(priority="P1", synopsis="<b>Paths</b> & more", watchers=[anna.acting])
    ladder.fire_due(NOW + timedelta(minutes=15))
    actions.take_case(case=case, by=sam, now=NOW)
    actions.reply(case=case, body="On <i>it</i>", by=sam, now=NOW)
    actions.reply(case=case, body="Thanks", by=alice, now=NOW)
    actions.change_state(case=case, to="customer_pending", reason="log", by=sam, now=NOW)
    actions.lower_priority(case=case, to="P2", reason="better", by=sam, now=NOW)
    actions.raise_priority(case=case, to="P1", reason="worse", by=alice, now=NOW)
    actions.mark_restored(case=case, by=sam, now=NOW, note="done")
    actions.deny_restoration(case=case, reason="dark", by=alice, now=NOW)
    actions.request_escalation(case=case, reason="other", note="please", by=alice, now=NOW)
    actions.propose_resolution(case=case, resolution="Fixed", by=sam, now=NOW)
    actions.reject_resolution(case=case, reason="no", by=alice, now=NOW)
    actions.request_closure(case=case, by=alice, now=NOW)
    actions.close_case(case=case, resolution="Fixed", by=lena, now=NOW)
    actions.reopen_case(case=case, reason="back", by=alice, now=NOW)
    kinds_told = set()
    for delivery in Delivery.objects.filter(channel="mail").select_related("message__recipient__user"):
        mail = mail_of(delivery)
        kinds_told.add((delivery.message.kind, delivery.message.context.get("what", "")))
        assert case.number in f"{mail.subject} {mail.body}"
        assert "<b>Paths" not in str(mail.alternatives[0][0])
        assert inbox_line(delivery.message)
    assert len(kinds_told) == 15
