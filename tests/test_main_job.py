"""The main job, step by step, through the actions: real PostgreSQL, real SMTP. In a browser: tests/browser/.

The first step, that one command brings everything up, is shown by tests/portal/test_run.py."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import F
from django.test import Client
from django.utils import timezone

from accounts import actions as account_actions
from accounts.models import AuditEntry, Membership, Organisation, User
from accounts.roles import Role
from cases import actions, ladder, search
from cases.errors import NotCovered
from cases.models import Case, CaseEvent, Rung
from cases.receipts import ladders_of
from cases.workflow import CaseState, EventKind, RungState
from contracts import actions as contract_actions
from contracts.kinds import ReleaseKind
from contracts.models import Acceptance, ServiceContract
from contracts.receipts import counts_for, receipts_of
from contracts.terms import add_months
from entitlements.actions import decide
from entitlements.kinds import Purpose
from entitlements.models import DecisionRecord
from entitlements.reasons import Code
from notifications.actions import acknowledge, mark_opened
from notifications.delivery import run_until_idle
from notifications.models import Delivery, DeliveryState, DutyLevel, DutyPerson, How, Message
from tests import factories
from tests.conftest import SignIn, World
from tests.notifications import conftest as telling

LOG = b"rpd[8127]: PATH_TABLE resync requested by standby, generation 4471 -> 4471\n"
MINUTE = timedelta(minutes=1)

# a real SMTP server on loopback, and a runner that may hold leases
mail_server = telling.mail_server
owner = telling.owner


@pytest.fixture
def now(world: World) -> datetime:
    """This very moment, as delivery goes by the database's clock; Acme is covered, the rival's contract has ended."""
    moment = timezone.now()
    for contract, start in ((world.contract, -100), (world.lapsed, -400)):
        starts_at = moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=start)
        ends_at = starts_at + timedelta(days=366)
        ServiceContract.objects.filter(pk=contract.pk).update(
            starts_on=starts_at.date(), ends_on=ends_at.date(), starts_at=starts_at, ends_at=ends_at
        )
        contract.refresh_from_db()
    return moment


@pytest.fixture
def deliver(mail_server: telling.MailServer, owner: int) -> Callable[[], telling.MailServer]:
    """Carry out what the outbox holds, as a worker does; what the SMTP server then has."""

    def _deliver() -> telling.MailServer:
        run_until_idle(owner, seconds=20)
        return mail_server

    return _deliver


@pytest.fixture
def on_duty(lena: User, omar: User) -> None:
    """Lena is on duty at L1, Omar at L2."""
    DutyPerson.objects.all().delete()
    for level, person in enumerate((lena, omar), start=1):
        row, _created = DutyLevel.objects.get_or_create(level=level, defaults={"name": f"Level {level}"})
        DutyPerson.objects.create(level=row, membership=acting(person))


@pytest.fixture
def p1(world: World, acme: Organisation, alice: User, on_duty: None, now: datetime) -> Case:
    """Alice's P1 on PathKeeper 21.4R3-S5, with a log, opened this moment."""
    return actions.open_case(**asked_for(world, acme, alice, now))


def acting(person: User) -> Membership:
    assert person.acting is not None
    return person.acting


def asked_for(world: World, organisation: Organisation, by: User, now: datetime) -> dict[str, Any]:
    return {
        "organisation": organisation,
        "site": world.site if organisation == world.site.organisation else world.rival_site,
        "software": world.software,
        "release": world.release,
        "synopsis": "Path table empty after failover",
        "description": "Both controllers ask for a resync, the mesh is in zugzwang.",
        "priority": "P1",
        "environment": "production",
        "customer_reference": "INC-7001",
        "backup_confirmed": True,
        "uploads": [SimpleUploadedFile("messages.log", LOG)],
        "by": by,
        "now": now,
    }


def coverage_of(world: World, organisation: Organisation, by: User, at: datetime) -> Any:
    return decide(
        organisation=organisation,
        software=world.software,
        release=world.release,
        site_country=organisation.country,
        purpose=Purpose.CASE,
        by=by,
        at=at,
    )


def answer_about(client: Client, number: str) -> tuple[int, str]:
    """Status and text of a case's page, without the number that was asked for and what differs every time."""
    response = client.get(f"/cases/{number}/")
    text = re.sub(r'(csrf-token" content|csrfmiddlewaretoken" value)="\w+"', "", response.content.decode())
    return response.status_code, text.replace(number, "")


# 2. Acme's technical contact opens a P1


@pytest.mark.clause("C25", "C27", "C31", "C42", "C54")
def test_the_coverage_that_is_shown_is_frozen_on_the_case_with_reference_backup_and_log(
    world: World, acme: Organisation, alice: User, now: datetime
) -> None:
    shown = coverage_of(world, acme, alice, now)
    assert (shown.granted, shown.contract_number) == (True, world.contract.number)
    assert shown.covered_until_on == world.contract.ends_on - timedelta(days=1)
    case = actions.open_case(**asked_for(world, acme, alice, now))
    assert case.decision.is_granted
    assert case.decision.answer["contract_number"] == world.contract.number
    assert (case.contract, case.customer_reference) == (world.contract, "INC-7001")
    assert (case.backup_confirmed_by, case.backup_confirmed_at) == (alice.acting, now)
    assert case.first_response_due_at == now + timedelta(hours=1)
    (attachment,) = case.attachments.all()
    assert (attachment.stored.name, attachment.stored.size) == ("messages.log", len(LOG))


# 3. The ladder and the first alert


@pytest.mark.clause("C16", "C22")
def test_the_l1_alert_goes_out_by_smtp_and_inbox_and_the_ladder_tells_who_when_and_acknowledged(
    p1: Case, lena: User, sam: User, now: datetime, deliver: Callable[[], telling.MailServer]
) -> None:
    first, *others = Rung.objects.filter(cycle__case=p1).order_by("level")
    assert (first.state, first.fired_at) == (RungState.FIRED, now)
    assert [rung.state for rung in others] == [RungState.PENDING] * 3
    server = deliver()
    assert server.recipients == [lena.email]
    assert p1.number in str(server.mails[0]["Subject"])
    assert server.mails[0]["Message-ID"]
    (alert,) = Message.objects.visible_to(lena)
    assert alert.mail is not None
    assert (alert.mail.state, alert.inbox and alert.inbox.state) == (
        DeliveryState.SENT,
        DeliveryState.CONFIRMED,
    )
    acknowledge(message=alert, by=lena, how=How.PAGE, note="", now=now + MINUTE)
    step = ladders_of([p1], sam)[p1.pk][0]
    assert (step.who, step.acknowledged_by, step.acknowledged_at) == (lena.name, lena.name, now + MINUTE)
    assert step.sent_at == alert.mail.sent_at
    assert step.delivered_at is not None


@pytest.mark.clause("C22")
def test_an_unacknowledged_alert_climbs_early_and_the_timed_rungs_fire_until_service_is_restored(
    p1: Case, lena: User, omar: User, sam: User, now: datetime
) -> None:
    by_level = {rung.level: rung for rung in Rung.objects.filter(cycle__case=p1)}
    early, timed = by_level[2].early_at, by_level[2].due_at
    assert early is not None
    assert timed is not None
    assert early < timed
    assert ladder.fire_due(early - MINUTE) == 0
    assert ladder.fire_due(early) == 1
    (second,) = Message.objects.visible_to(omar)
    acknowledge(message=second, by=omar, how=How.PAGE, note="", now=early + MINUTE)
    third = Rung.objects.get(cycle__case=p1, level=3)
    assert third.early_at is None
    assert third.due_at is not None
    assert ladder.fire_due(third.due_at - MINUTE) == 0
    assert ladder.fire_due(third.due_at) == 1
    actions.mark_restored(case=p1, by=sam, now=third.due_at + MINUTE)
    assert ladder.fire_due(now + timedelta(days=9)) == 0


# 4. From the queue to the end


@pytest.mark.clause("C16", "C22", "C28", "C29")
def test_taken_answered_restored_proposed_and_accepted_the_case_is_closed_and_its_ladder_cancelled(
    p1: Case, alice: User, sam: User, now: datetime, deliver: Callable[[], telling.MailServer]
) -> None:
    assert p1 in Case.objects.visible_to(sam).open().filter(owner=None)
    actions.take_case(case=p1, by=sam, now=now + MINUTE)
    actions.reply(case=p1, body="Please send the status of both nodes.", by=sam, now=now + 2 * MINUTE)
    p1.refresh_from_db()
    assert p1.first_responded_at == now + 2 * MINUTE
    actions.reply(case=p1, body="Node 2 is on generation 91.", by=alice, now=now + 3 * MINUTE)
    actions.mark_restored(case=p1, note="Restarted pkd.", by=sam, now=now + 4 * MINUTE)
    actions.propose_resolution(
        case=p1, resolution="Restart; the patch ends it.", by=sam, now=now + 5 * MINUTE
    )
    actions.accept_resolution(case=p1, by=alice, now=now + 6 * MINUTE)
    p1.refresh_from_db()
    assert (p1.state, p1.owner, p1.closed_at) == (CaseState.CLOSED, sam.acting, now + 6 * MINUTE)
    states = list(Rung.objects.filter(cycle__case=p1).order_by("level").values_list("state", flat=True))
    assert states == [RungState.FIRED, *[RungState.CANCELLED] * 3]
    story = CaseEvent.objects.visible_to(alice).filter(case=p1).order_by("at", "pk")
    assert list(story.values_list("kind", flat=True)) == [
        EventKind.OPENED, EventKind.ALERT, EventKind.ASSIGNED, EventKind.REPLY, EventKind.REPLY,
        EventKind.RESTORED, EventKind.RESOLUTION_PROPOSED, EventKind.RESOLUTION_ACCEPTED,
    ]  # fmt: skip
    Delivery.objects.update(next_at=F("next_at") - timedelta(hours=1))
    recipients = deliver().recipients
    # reply, restored, proposed; and to Sam the answer and the acceptance
    assert (recipients.count(alice.email), recipients.count(sam.email)) == (3, 2)


# 5. A patch


@pytest.mark.clause("C23", "C34", "C35", "C36")
def test_a_patch_is_told_with_a_receipt_each_to_whom_it_applies_under_a_contract_in_force_and_to_nobody_else(
    world: World, alice: User, anna: User, mallory: User, ingrid: User, nordlys: Organisation, paula: User,
    now: datetime, deliver: Callable[[], telling.MailServer],
) -> None:  # fmt: skip
    world.software.end_users.add(nordlys)
    older = factories.ReleaseFactory.make(line=world.line, version="21.4R3-S4", published_by=paula.acting)
    Acceptance.objects.create(
        organisation=nordlys, software=world.software, line=world.line, release=older, accepted_at=now,
        accepted_by=acting(ingrid),
    )  # fmt: skip
    patch = contract_actions.draft_release(
        software=world.software,
        version="21.4R3-S5.1",
        kind=ReleaseKind.PATCH,
        line=world.line,
        applies_to=[world.release],
        fixes=factories.DefectFactory.make(software=world.software),
        notes="The standby no longer asks again.",
        by=paula,
        now=now,
    )
    assert deliver().recipients == []
    contract_actions.publish_release(release=patch, by=paula, now=now)
    assert sorted(deliver().recipients) == [alice.email, anna.email]
    receipts = {message.recipient: message for message in receipts_of(patch)}
    assert set(receipts) == {acting(alice), acting(anna)}
    mark_opened(by=alice, now=now + MINUTE, message=receipts[acting(alice)])
    counts = counts_for([patch])[patch.pk]
    assert (counts.told, counts.sent, counts.opened) == (2, 2, 1)


# 6. The lapsed contract


@pytest.mark.clause("C25")
def test_a_lapsed_customer_reads_but_opening_is_refused_with_why_since_and_remedy_and_leaves_only_its_record(
    world: World, rival: Organisation, mallory: User, on_duty: None, now: datetime
) -> None:
    assert world.lapsed in ServiceContract.objects.visible_to(mallory)
    with pytest.raises(NotCovered) as refusal:
        actions.open_case(**asked_for(world, rival, mallory, now))
    (reason,) = refusal.value.decision.reasons
    assert reason.code == Code.ENDED
    assert reason.since == world.lapsed.ends_at
    assert world.lapsed.number in reason.sentence
    assert "Renew" in reason.remedy
    (record,) = DecisionRecord.objects.all()
    assert (record.is_granted, record.organisation, record.asked_by) == (False, rival, mallory.acting)
    assert not Case.objects.exists()
    assert not Message.objects.exists()


# 7. Finding it


@pytest.mark.clause("C30", "C31")
def test_the_case_is_found_by_number_reference_and_word_and_does_not_exist_for_another_customer(
    p1: Case, alice: User, mallory: User, sign_in: SignIn
) -> None:
    for wanted in (p1.number, p1.number.replace("-", ""), "inc-7001"):
        assert search.find(alice, wanted).exact == p1
    assert search.find(alice, "zugzwang").cases == [p1]
    for wanted in (p1.number, "INC-7001", "zugzwang"):
        assert search.find(mallory, wanted) == search.Found(None, [], has_more=False)
    stranger = sign_in(mallory)
    missing = f"{p1.number[:-4]}9999"
    theirs, nobodys = answer_about(stranger, p1.number), answer_about(stranger, missing)
    assert theirs == nobodys
    assert theirs[0] == 404


# 8. Next year's contract; a leaver; a new colleague


@pytest.mark.clause("C9", "C10", "C12", "C25")
def test_a_registered_and_approved_contract_covers_nordlys_from_its_start_in_oslo_and_not_a_moment_before(
    world: World, nordlys: Organisation, meridian: Organisation, remy: User, ingrid: User, paula: User, ada: User,
    now: datetime,
) -> None:  # fmt: skip
    world.software.end_users.add(nordlys)
    factories.agreed_documents(nordlys, world.software, ingrid, paula)
    factories.accept(nordlys, world.release, ingrid)
    starts_on = now.date().replace(month=1, day=1, year=now.year + 1)
    contract = contract_actions.register_contract(
        end_user=nordlys,
        software=world.software,
        starts_on=starts_on,
        ends_on=add_months(starts_on, 12),
        purchase_order="MN-79001",
        po_end_user_name=nordlys.name,
        po_end_user_address=nordlys.address,
        by=remy,
        now=now,
    )
    # midnight in Oslo, where it is an hour later in winter
    start = datetime.combine(starts_on, datetime.min.time(), now.tzinfo) - timedelta(hours=1)
    assert not coverage_of(world, nordlys, ingrid, start).granted
    contract_actions.approve_contract(contract=contract, by=ada, now=now)
    answer = coverage_of(world, nordlys, ingrid, start)
    assert (answer.granted, answer.contract_number) == (True, contract.number)
    before = coverage_of(world, nordlys, ingrid, start - timedelta(microseconds=1))
    assert [reason.code for reason in before.reasons] == [Code.NOT_STARTED]


@pytest.mark.clause("C52", "C53")
def test_a_deactivated_contact_is_out_with_the_next_click_and_nothing_more_is_sent_to_them(
    p1: Case, alice: User, anna: User, sam: User, ada: User, sign_in: SignIn, now: datetime,
    deliver: Callable[[], telling.MailServer],
) -> None:  # fmt: skip
    session = sign_in(anna)
    assert session.get("/cases/").status_code == 200
    Case.objects.filter(pk=p1.pk).update(contact=acting(anna))
    actions.reply(case=p1, body="Please send the status.", by=sam, now=now)
    account_actions.deactivate_account(user=anna, successor=acting(alice), reason="Left", by=ada, now=now)
    answer = session.get("/cases/")
    assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/account/login/")
    p1.refresh_from_db()
    assert p1.contact == alice.acting
    assert anna.email not in deliver().recipients
    assert AuditEntry.objects.filter(action="account.deactivated", subject=anna.email).exists()


@pytest.mark.clause("C52")
def test_an_invited_colleague_becomes_a_member_once_and_sees_the_cases(
    p1: Case, acme: Organisation, alice: User, now: datetime
) -> None:
    invitation, secret = account_actions.invite(
        organisation=acme,
        email="noor@acme.example",
        name="Noor Haddad",
        roles=[Role.CONTACT.value],
        by=alice,
        now=now,
    )
    assert account_actions.usable_invitation(secret, now) == invitation
    noor = account_actions.create_person(
        email="noor@acme.example", name="Noor Haddad", password="quiet-otter-on-the-quay-41", now=now
    )
    account_actions.accept_invitation(invitation=invitation, user=noor, now=now)
    assert p1 in Case.objects.visible_to(noor)
    with pytest.raises(account_actions.InvitationNotUsable):
        account_actions.usable_invitation(secret, now)
