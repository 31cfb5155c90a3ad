"""Opening a case."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, Organisation, Site, User
from accounts.roles import Role
from cases.errors import BackupNotConfirmed, FieldError, NotAChoice, NotAllowed, NotCovered, ReasonNeeded
from cases.models import Attachment, Case, CaseCounter, CaseEvent, Cycle, Rung
from cases.workflow import CaseState, Channel, EventKind, RungState
from contracts.kinds import ReleaseState
from entitlements.models import DecisionRecord
from files.actions import FileRefused
from notifications.models import Delivery, Message
from tests import factories
from tests.conftest import World
from tests.factories import NOW

pytestmark = pytest.mark.django_db
Open = Callable[..., Case]


def nothing_written() -> bool:
    kept = (Case, CaseEvent, Cycle, Rung, Message, Delivery, Attachment, CaseCounter)
    return not any(model._default_manager.exists() for model in kept)


@pytest.mark.clause("C27", "C18", "C25")
def test_a_technical_contact_opens_a_case_and_the_decision_is_frozen_on_it(
    open_case: Open, alice: User, world: World
) -> None:
    case = open_case(customer_reference="INC0042117", activity="Upgrade", access="VPN")
    case = Case.objects.get(pk=case.pk)
    assert (case.number, case.state, case.version) == ("2026-1122-0001", CaseState.NEW, 1)
    assert case.opened_by == case.contact == case.backup_confirmed_by == alice.acting
    assert case.decision.is_granted
    assert case.decision.contract == case.contract == world.contract
    assert case.decision.answer["accepted_release"] == world.release.pk
    assert case.backup_confirmed_at == case.opened_at == case.updated_at == NOW
    event = CaseEvent.objects.get(case=case)
    assert (event.kind, event.by, event.at) == (EventKind.OPENED, alice.acting, NOW)


@pytest.mark.clause("C22")
def test_opening_a_p1_alerts_the_duty_manager_in_the_same_transaction(
    open_case: Open, on_duty: None, lena: User
) -> None:
    case = open_case(priority="P1")
    alert = Message.objects.get(kind="case_alert")
    assert (alert.recipient, alert.subject, alert.needs_acknowledgement) == (lena.acting, case.subject, True)
    assert (alert.context["level"], alert.context["cycle"], alert.urgency) == (1, 1, 0)
    assert set(Delivery.objects.values_list("channel", "urgency")) == {("inbox", 0), ("mail", 0)}
    rungs = list(Rung.objects.order_by("level").values_list("level", "state", "due_at", "early_at"))
    assert rungs == [
        (1, RungState.FIRED, NOW, None),
        (2, RungState.PENDING, NOW + timedelta(hours=1), NOW + timedelta(minutes=15)),
        (3, RungState.PENDING, NOW + timedelta(hours=4), None),
        (4, RungState.PENDING, NOW + timedelta(hours=24), None),
    ]
    assert CaseEvent.objects.get(kind=EventKind.ALERT).detail["people"] == ["Lena Fischer"]


def test_a_p3_plans_its_ladder_and_alerts_nobody_yet(open_case: Open, on_duty: None) -> None:
    open_case(priority="P3")
    assert not Message.objects.exists()
    # 72 working hours are nine days of eight; Thanksgiving and the Sunday it was opened do not count
    first = Rung.objects.get(level=1)
    assert first.due_at == datetime(2026, 12, 5, 1, 0, tzinfo=UTC)
    assert first.state == RungState.PENDING


@pytest.mark.clause("C15")
def test_targets_follow_the_policy_on_the_clock_of_the_site(open_case: Open) -> None:
    case = open_case(priority="P1")
    assert case.first_response_due_at == NOW + timedelta(hours=1)
    assert case.update_due_at == NOW + timedelta(hours=4)
    assert case.next_deadline_at == case.first_response_due_at
    # a Sunday in California: eight business hours are Monday's
    assert open_case(priority="P3").first_response_due_at == datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


@pytest.mark.clause("C54", "C55")
def test_without_the_confirmation_of_a_backup_nothing_is_written(open_case: Open) -> None:
    with pytest.raises(BackupNotConfirmed, match="C54"):
        open_case(backup_confirmed=False)
    assert nothing_written()
    assert not DecisionRecord.objects.exists()


@pytest.mark.clause("C25")
def test_a_lapsed_contract_refuses_the_case_says_why_and_keeps_only_the_attempt(
    open_case: Open, rival: Organisation, world: World, mallory: User
) -> None:
    with pytest.raises(NotCovered) as refused:
        open_case(organisation=rival, site=world.rival_site, by=mallory)
    assert "ended" in str(refused.value)
    assert world.lapsed.number in str(refused.value)
    record = DecisionRecord.objects.get()
    assert record == refused.value.record
    assert (record.is_granted, record.organisation, record.asked_by) == (False, rival, mallory.acting)
    assert nothing_written()


@pytest.mark.clause("C45")
def test_an_organisation_without_a_technical_contact_cannot_open_cases(
    open_case: Open, alice: User, anna: User
) -> None:
    assert alice.acting is not None
    alice.acting.roles = [Role.CONTACT]
    alice.acting.save()
    with pytest.raises(NotCovered) as refused:
        open_case(by=anna)
    assert [reason.clause for reason in refused.value.decision.reasons] == ["C45"]
    assert nothing_written()


@pytest.mark.clause("C42")
def test_a_release_that_was_never_accepted_is_not_covered(open_case: Open, world: World, paula: User) -> None:
    other = factories.ReleaseFactory.make(line=world.line, version="21.4R3-S6", published_by=paula.acting)
    with pytest.raises(NotCovered) as refused:
        open_case(release=other)
    assert [reason.clause for reason in refused.value.decision.reasons] == ["C42"]


@pytest.mark.clause("C63")
def test_a_site_in_an_excluded_country_is_refused(open_case: Open, acme: Organisation) -> None:
    site = factories.SiteFactory.make(organisation=acme, country="CU", time_zone="America/Havana")
    with pytest.raises(NotCovered) as refused:
        open_case(site=site)
    assert [reason.clause for reason in refused.value.decision.reasons] == ["C63"]


@pytest.mark.clause("C20")
def test_an_engineer_enters_a_case_taken_by_phone_for_the_technical_contact(
    open_case: Open, sam: User, alice: User
) -> None:
    case = open_case(by=sam, channel=Channel.WEB)
    assert (case.channel, case.opened_by, case.contact) == (Channel.PHONE, sam.acting, alice.acting)
    told = Message.objects.get(kind="case_opened")
    assert told.recipient == alice.acting


def test_the_contact_of_a_call_may_be_named(open_case: Open, sam: User, anna: User, mallory: User) -> None:
    assert open_case(by=sam, contact=anna.acting).contact == anna.acting
    with pytest.raises(NotAChoice):
        open_case(by=sam, contact=mallory.acting)


def test_a_call_for_a_customer_without_anybody_to_talk_to_is_refused(
    open_case: Open, sam: User, alice: User
) -> None:
    Membership.objects.filter(user=alice).update(ended_at=NOW)
    with pytest.raises((NotCovered, FieldError)):
        open_case(by=sam)
    assert nothing_written()


@pytest.mark.parametrize("who", ["mallory", "remy", "paula", "aki", "ended", "root"])
def test_others_may_not_open_cases_for_acme(
    open_case: Open, who: str, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(NotAllowed):
        open_case(by=request.getfixturevalue(who))
    assert nothing_written()
    assert not DecisionRecord.objects.exists()


def test_no_case_is_opened_for_a_partner_or_for_ourselves(
    open_case: Open, sam: User, meridian: Organisation, vendor: Organisation
) -> None:
    for organisation in (meridian, vendor):
        site: Site = factories.SiteFactory.make(organisation=organisation)
        with pytest.raises(NotAllowed):
            open_case(by=sam, organisation=organisation, site=site)


def foreign(world: World, mallory: User) -> dict[str, Any]:
    other = factories.SoftwareFactory.make(name="Other")
    line = factories.ReleaseLineFactory.make(software=other)
    release = factories.ReleaseFactory.make(line=line, version="1.0")
    draft = factories.ReleaseFactory.make(
        line=world.line, version="9.9", state=ReleaseState.DRAFT, published_at=None, published_by=None
    )
    return {
        "another organisation's site": ("site", {"site": world.rival_site}),
        "software not made for it": ("software", {"software": other, "release": release}),
        "a release of another software": ("release", {"release": release}),
        "a draft": ("release", {"release": draft}),
        "somebody else's colleague": ("watchers", {"watchers": [mallory.acting]}),
        "an unknown priority": ("priority", {"priority": "P0"}),
        "an unknown environment": ("environment", {"environment": "moon"}),
        "an unknown follow-up": ("follow_up", {"follow_up": "pigeon"}),
    }


@pytest.mark.parametrize(
    "what",
    [
        "another organisation's site",
        "software not made for it",
        "a release of another software",
        "a draft",
        "somebody else's colleague",
        "an unknown priority",
        "an unknown environment",
        "an unknown follow-up",
    ],
)
@pytest.mark.attack("foreign ids in the body")
def test_what_is_foreign_is_refused_like_what_is_unknown(
    open_case: Open, world: World, mallory: User, what: str
) -> None:
    field, changes = foreign(world, mallory)[what]
    with pytest.raises(NotAChoice) as refused:
        open_case(**changes)
    assert refused.value.field == field
    assert nothing_written()


@pytest.mark.parametrize("field", ["synopsis", "description"])
def test_a_case_says_what_is_wrong(open_case: Open, field: str) -> None:
    with pytest.raises(ReasonNeeded) as refused:
        open_case(**{field: " \n "})
    assert refused.value.field == field
    assert nothing_written()


@pytest.mark.clause("C57")
def test_files_hang_on_the_first_entry(open_case: Open, alice: User, mallory: User) -> None:
    case = open_case(uploads=[SimpleUploadedFile("var-log.tgz", b"log"), SimpleUploadedFile("b.txt", b"b")])
    files = Attachment.objects.filter(case=case, event__kind=EventKind.OPENED)
    assert sorted(files.values_list("stored__name", flat=True)) == ["b.txt", "var-log.tgz"]
    assert Attachment.objects.visible_to(alice).count() == 2
    assert not Attachment.objects.visible_to(mallory).exists()


def test_a_refused_file_undoes_everything(open_case: Open) -> None:
    with pytest.raises(FileRefused):
        open_case(uploads=[SimpleUploadedFile("good.txt", b"x"), SimpleUploadedFile("empty.txt", b"")])
    assert nothing_written()
    assert not DecisionRecord.objects.exists()


def test_people_kept_informed_are_told_once_and_the_one_who_opened_it_is_not(
    open_case: Open, anna: User
) -> None:
    open_case(watchers=[anna.acting, anna.acting])
    assert [message.recipient for message in Message.objects.filter(kind="case_opened")] == [anna.acting]


def test_a_restricted_case_is_seen_by_those_named_only(
    open_case: Open, alice: User, anna: User, sam: User
) -> None:
    case = open_case(is_restricted=True)
    assert not Case.objects.visible_to(anna).exists()
    for user in (alice, sam):
        assert Case.objects.visible_to(user).get() == case
    named = open_case(is_restricted=True, watchers=[anna.acting])
    assert Case.objects.visible_to(anna).get() == named


def test_opening_the_worst_case_with_everything_asks_a_bounded_number_of_questions(
    open_case: Open, on_duty: None, anna: User
) -> None:
    with CaptureQueriesContext(connection) as asked:
        open_case(priority="P1", watchers=[anna.acting], uploads=[SimpleUploadedFile("a.log", b"x")])
    assert len(asked) <= 40, "\n".join(query["sql"][:130] for query in asked)
