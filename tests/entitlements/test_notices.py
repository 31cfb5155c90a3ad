"""Who is told about a patch or update, and nobody else (C23, C35)."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, Organisation, User
from accounts.roles import Role
from contracts import actions
from contracts.followups import RELEASE_PUBLISHED
from contracts.kinds import ReleaseKind
from contracts.models import Acceptance, Release, ServiceContract
from entitlements.kinds import Purpose
from entitlements.models import DecisionRecord
from entitlements.notices import RELEASE_NOTICE, may_be_told
from notifications import kinds
from notifications.models import Delivery, Message
from notifications.rendering import inbox_line, mail_of
from tests import factories
from tests.conftest import World
from tests.factories import NOW


@pytest.fixture
def patch(world: World, paula: User) -> Release:
    defect = factories.DefectFactory.make(software=world.software, number="PR1790001")
    return actions.draft_release(
        software=world.software,
        version="21.4R3-S5.1",
        kind=ReleaseKind.PATCH,
        line=world.line,
        applies_to=[world.release],
        fixes=defect,
        notes="",
        by=paula,
        now=NOW,
    )


def _told(release: Release) -> set[str]:
    messages = Message.objects.filter(kind=RELEASE_NOTICE, subject=release.subject)
    return set(messages.values_list("recipient__user__email", flat=True))


@pytest.mark.clause("C23", "C34", "C35")
def test_everyone_whose_accepted_release_it_is_made_for_is_told_and_nobody_else(
    world: World, patch: Release, alice: User, anna: User, minsu: User, mallory: User, sam: User, paula: User
) -> None:
    actions.publish_release(release=patch, by=paula, now=NOW)
    assert _told(patch) == {"alice@acme.example", "anna@acme.example"}
    records = DecisionRecord.objects.filter(release=patch, purpose=Purpose.NOTICE)
    granted = {record.organisation.name: record.is_granted for record in records}
    assert granted == {"Acme Telecom": True, "Rival Net": False}


def test_drafting_tells_nobody(patch: Release, alice: User) -> None:
    assert _told(patch) == set()


@pytest.mark.clause("C35")
def test_a_release_accepted_earlier_on_the_line_counts_until_it_is_withdrawn(
    world: World, patch: Release, alice: User, paula: User
) -> None:
    newer = factories.ReleaseFactory.make(line=world.line, version="21.4R3-S6", published_by=paula.acting)
    actions.accept_release(release=newer, by=alice, now=NOW)
    actions.publish_release(release=patch, by=paula, now=NOW)
    assert _told(patch) == {"alice@acme.example"}


def test_a_withdrawn_earlier_release_no_longer_counts(
    world: World, patch: Release, alice: User, paula: User
) -> None:
    newer = factories.ReleaseFactory.make(line=world.line, version="21.4R3-S6", published_by=paula.acting)
    actions.accept_release(release=newer, by=alice, now=NOW - timedelta(days=1))
    actions.withdraw_release(
        release=world.release, reason="Loses paths.", by=paula, now=NOW - timedelta(hours=1)
    )
    actions.publish_release(release=patch, by=paula, now=NOW)
    assert _told(patch) == set()


def test_who_runs_another_line_or_nothing_is_not_told(
    world: World, patch: Release, alice: User, minsu: User, hanbit: Organisation, paula: User, ada: User
) -> None:
    world.software.end_users.add(hanbit)
    other_line = factories.ReleaseLineFactory.make(software=world.software, name="22.1")
    other = factories.ReleaseFactory.make(line=other_line, version="22.1R1", published_by=paula.acting)
    factories.accept(hanbit, other, minsu)
    factories.ContractFactory.make(
        end_user=hanbit, software=world.software, registered_by=paula.acting, decided_by=ada.acting
    )
    actions.publish_release(release=patch, by=paula, now=NOW)
    assert _told(patch) == {"alice@acme.example"}


@pytest.mark.clause("C39", "C40")
@pytest.mark.parametrize("kind", [ReleaseKind.RELEASE, ReleaseKind.UPGRADE])
def test_releases_and_upgrades_are_not_told(
    kind: ReleaseKind, world: World, alice: User, paula: User
) -> None:
    draft = actions.draft_release(
        software=world.software,
        version="22.1R1",
        kind=kind,
        line=world.line,
        applies_to=[world.release],
        fixes=None,
        notes="",
        by=paula,
        now=NOW,
    )
    actions.publish_release(release=draft, by=paula, now=NOW)
    assert _told(draft) == set()


@pytest.mark.parametrize("is_account_manager_only", [True, False])
def test_only_active_contacts_are_told(
    is_account_manager_only: bool, patch: Release, acme: Organisation, alice: User, ended: User, paula: User
) -> None:
    if is_account_manager_only:
        Membership.objects.filter(user=alice).update(roles=[Role.ACCOUNT_MANAGER.value])
    else:
        alice.is_active = False
        alice.save()
    actions.publish_release(release=patch, by=paula, now=NOW)
    assert _told(patch) == set()


def test_publishing_again_or_enqueueing_again_tells_nobody_twice(
    patch: Release, alice: User, paula: User
) -> None:
    published = actions.publish_release(release=patch, by=paula, now=NOW)
    RELEASE_PUBLISHED.call(release=published, by=paula, now=NOW)
    assert Message.objects.filter(subject=patch.subject).count() == 1


def test_the_number_of_queries_does_not_grow_with_the_customers(
    world: World, patch: Release, alice: User, mallory: User, paula: User, ada: User
) -> None:
    for _ in range(30):
        organisation = factories.OrganisationFactory.make()
        world.software.end_users.add(organisation)
        contact = factories.MembershipFactory.make(organisation=organisation)
        Acceptance.objects.create(
            organisation=organisation,
            software=world.software,
            line=world.line,
            release=world.release,
            accepted_at=factories.LONG_AGO,
            accepted_by=contact,
        )
        factories.ContractFactory.make(
            end_user=organisation, software=world.software, registered_by=contact, decided_by=ada.acting
        )
    with CaptureQueriesContext(connection) as queries:
        actions.publish_release(release=patch, by=paula, now=NOW)
    assert len(queries) <= 30
    assert Message.objects.filter(subject=patch.subject).count() == 31


# Asked again before sending


@pytest.fixture
def notice(patch: Release, alice: User, anna: User, paula: User, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("entitlements.notices.timezone.now", lambda: NOW)
    actions.publish_release(release=patch, by=paula, now=NOW)
    messages = Message.objects.filter(subject=patch.subject).order_by("recipient__user__email")
    return [(message.recipient_id, message.subject) for message in messages]


def test_what_was_right_at_publication_may_be_sent(notice: Any) -> None:
    assert kinds.get(RELEASE_NOTICE).may_tell(notice) == set(notice)


def test_nothing_is_sent_to_somebody_who_left_meanwhile(notice: Any, anna: User) -> None:
    Membership.objects.filter(user=anna).update(ended_at=NOW)
    assert may_be_told(notice) == {notice[0]}


def test_nothing_is_sent_after_the_contract_was_terminated(notice: Any, world: World, ada: User) -> None:
    actions.terminate_contract(contract=world.contract, reason="Sold.", by=ada, now=NOW)
    assert may_be_told(notice) == set()


def test_nothing_is_sent_about_a_release_that_was_withdrawn(notice: Any, patch: Release, paula: User) -> None:
    actions.withdraw_release(release=patch, reason="Leaks.", by=paula, now=NOW)
    assert may_be_told(notice) == set()


def test_a_subject_that_is_no_release_is_not_told(notice: Any) -> None:
    recipient = notice[0][0]
    assert may_be_told([(recipient, "case:1"), (recipient, "release:999999")]) == set()


def test_a_person_of_an_organisation_that_has_nothing_to_do_with_it_is_not_told(
    notice: Any, minsu: User
) -> None:
    assert minsu.acting
    assert may_be_told([(minsu.acting.pk, notice[0][1])]) == set()


@pytest.mark.clause("C67")
def test_mail_and_inbox_say_which_patch_for_which_release(
    patch: Release, alice: User, paula: User, world: World
) -> None:
    actions.publish_release(release=patch, by=paula, now=NOW)
    message = Message.objects.get(subject=patch.subject)
    assert inbox_line(message).startswith("Patch 21.4R3-S5.1 of PathKeeper is available: ")
    letter = mail_of(Delivery.objects.get(message=message, channel="mail"))
    assert letter.subject.startswith("Patch 21.4R3-S5.1 of PathKeeper is available")
    assert "It is made for 21.4R3-S5." in letter.body
    assert "PR1790001" in letter.body
    assert "/software/pathkeeper/21.4R3-S5.1/" in letter.body
    assert not mail.outbox
    assert ServiceContract.objects.filter(pk=world.contract.pk).exists()


# Withdrawal


def test_exactly_those_who_were_told_hear_that_it_is_withdrawn_and_why(  # withdrawn_notice
    patch: Release, alice: User, anna: User, mallory: User, paula: User, ada: User, world: World
) -> None:
    published = actions.publish_release(release=patch, by=paula, now=NOW)
    told = _told(patch)
    # an organisation that lost its contract meanwhile has the patch all the same
    actions.terminate_contract(contract=world.contract, reason="Sold.", by=ada, now=NOW)
    actions.withdraw_release(release=published, reason="It leaks memory.", by=paula, now=NOW)
    withdrawn = Message.objects.filter(kind="release_withdrawn", subject=patch.subject)
    assert {message.recipient.user.email for message in withdrawn} == told
    assert told
    pairs = [(message.recipient_id, message.subject) for message in withdrawn]
    assert kinds.get("release_withdrawn").may_tell(pairs) == set(pairs)
    letter = mail_of(Delivery.objects.filter(message__in=withdrawn, channel="mail")[0])
    assert letter.subject == "Patch 21.4R3-S5.1 of PathKeeper was withdrawn"
    assert "It leaks memory." in letter.body
    assert "Do not install it any more." in letter.body


def test_nobody_hears_of_a_withdrawal_who_left_or_was_never_told(
    patch: Release, alice: User, anna: User, minsu: User, paula: User
) -> None:
    published = actions.publish_release(release=patch, by=paula, now=NOW)
    Membership.objects.filter(user=anna).update(ended_at=NOW)
    actions.withdraw_release(release=published, reason="Leaks.", by=paula, now=NOW)
    withdrawn = Message.objects.filter(kind="release_withdrawn")
    assert [message.recipient.user.name for message in withdrawn] == ["Alice Brandt"]
    assert alice.acting
    assert minsu.acting
    may_tell = kinds.get("release_withdrawn").may_tell
    assert may_tell([(minsu.acting.pk, patch.subject)]) == set()
    Membership.objects.filter(user=alice).update(ended_at=NOW)
    assert may_tell([(alice.acting.pk, patch.subject)]) == set()
