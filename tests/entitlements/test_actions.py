"""Decisions as the rest of the portal asks for them, and their records."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import InternalError

from accounts.models import Organisation, User
from contracts import actions as contract_actions
from contracts import errors
from entitlements import actions
from entitlements.facts import PREVIEW
from entitlements.kinds import Purpose
from entitlements.models import DecisionRecord
from entitlements.reasons import Code
from tests import factories
from tests.conftest import World
from tests.factories import NOW

MOMENT = timedelta(microseconds=1)


@dataclass
class Asked:
    world: World

    def about(self, organisation: Organisation, by: User | None, **changes: Any) -> dict[str, Any]:
        values: dict[str, Any] = {
            "organisation": organisation,
            "software": self.world.software,
            "release": self.world.release,
            "site_country": organisation.country,
            "purpose": Purpose.CASE,
            "by": by,
        }
        return {**values, **changes}


@pytest.fixture
def asked(world: World) -> Asked:
    return Asked(world)


@pytest.mark.clause("C25", "C33", "C42")
def test_a_case_under_a_contract_in_force_is_granted_and_says_until_when(
    asked: Asked, alice: User, acme: Organisation
) -> None:
    answer = actions.decide(**asked.about(acme, alice), at=NOW)
    assert answer.granted
    assert answer.contract_number == asked.world.contract.number
    assert str(answer.covered_until_on) == "2027-03-31"
    assert not DecisionRecord.objects.exists()


@pytest.mark.clause("C25")
def test_a_lapsed_contract_refuses_and_says_since_when(
    asked: Asked, mallory: User, rival: Organisation
) -> None:
    answer, record = actions.decide_and_record(**asked.about(rival, mallory), now=NOW)
    (reason,) = answer.reasons
    assert reason.code == Code.ENDED
    assert reason.since == datetime(2026, 11, 1, tzinfo=UTC)
    assert asked.world.lapsed.number in reason.sentence
    assert "31 October 2026" in reason.sentence
    assert (record.is_granted, record.contract) == (False, None)


def test_a_record_keeps_facts_question_and_answer_and_is_never_changed(
    asked: Asked, alice: User, acme: Organisation
) -> None:
    answer, record = actions.decide_and_record(**asked.about(acme, alice), now=NOW)
    record.refresh_from_db()
    assert (record.organisation, record.asked_by, record.at) == (acme, alice.acting, NOW)
    assert (record.contract, record.release) == (asked.world.contract, asked.world.release)
    assert record.answer == answer.as_record()
    assert record.facts["contracts"][0]["number"] == asked.world.contract.number
    assert record.request["site_country"] == "US"
    for change in (
        DecisionRecord.objects.all().delete,
        lambda: DecisionRecord.objects.update(is_granted=False),
    ):
        with pytest.raises(InternalError), transaction.atomic():
            change()


@pytest.mark.clause("C18")
def test_software_that_was_never_bought_is_refused_not_an_error(
    asked: Asked, alice: User, acme: Organisation
) -> None:
    other = factories.ReleaseFactory.make(version="1.0", published_by=alice.acting)
    question = asked.about(acme, alice, software=other.software, release=other)
    assert Code.NO_CONTRACT in {reason.code for reason in actions.decide(**question, at=NOW).reasons}


@pytest.mark.clause("C42")
def test_a_release_of_another_product_is_no_basis(asked: Asked, alice: User, acme: Organisation) -> None:
    other = factories.ReleaseFactory.make(version="1.0", published_by=alice.acting)
    answer = actions.decide(**asked.about(acme, alice, release=other), at=NOW)
    assert [reason.code for reason in answer.reasons] == [Code.RELEASE_NOT_ACCEPTED]


def test_a_preview_may_leave_the_release_open(asked: Asked, alice: User, acme: Organisation) -> None:
    question = asked.about(acme, alice, release=None, purpose=PREVIEW)
    assert actions.decide(**question, at=NOW).granted
    case = asked.about(acme, alice, release=None)
    assert [r.code for r in actions.decide(**case, at=NOW).reasons] == [Code.RELEASE_NOT_NAMED]


@pytest.mark.clause("C63")
def test_the_country_of_the_asking_contact_counts_but_not_that_of_staff(
    asked: Asked, alice: User, sam: User, acme: Organisation
) -> None:
    for person in (alice, sam):
        person.country = "IR"
        person.save()
    refused = actions.decide(**asked.about(acme, alice), at=NOW)
    assert [reason.code for reason in refused.reasons] == [Code.EXPORT_CONTROL]
    assert actions.decide(**asked.about(acme, sam), at=NOW).granted


@pytest.mark.clause("C52")
def test_somebody_whose_membership_has_ended_is_refused(
    asked: Asked, alice: User, acme: Organisation
) -> None:
    assert alice.acting
    alice.acting.ended_at = NOW
    answer = actions.decide(**asked.about(acme, alice), at=NOW)
    assert [reason.code for reason in answer.reasons] == [Code.ACCOUNT_INACTIVE]


def test_a_decision_costs_at_most_five_queries(
    asked: Asked, alice: User, acme: Organisation, django_assert_max_num_queries: Any
) -> None:
    question = asked.about(acme, alice)
    with django_assert_max_num_queries(5):
        actions.decide(**question, at=NOW)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({"purpose": "fun"}, "purpose_is_known"), ({"contract": None}, "granted_names_its_contract")],
)
def test_the_database_refuses_a_record_that_makes_no_sense(
    changes: dict[str, Any], sentence: str, asked: Asked, alice: User, acme: Organisation
) -> None:
    _answer, record = actions.decide_and_record(**asked.about(acme, alice), now=NOW)
    record.pk = None
    for name, value in changes.items():
        setattr(record, name, value)
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        record.save(force_insert=True)
    assert sentence in errors.violated(refusal.value)


@pytest.mark.clause("C12", "C17", "C25")
def test_a_contract_that_a_reseller_registers_and_staff_approve_covers_from_its_start(
    remy: User, ada: User, ingrid: User, paula: User, nordlys: Organisation
) -> None:
    release = factories.ReleaseFactory.make(published_by=paula.acting)
    release.software.end_users.add(nordlys)
    factories.agreed_documents(nordlys, release.software, ingrid, paula)
    factories.accept(nordlys, release, ingrid)
    contract = contract_actions.register_contract(
        end_user=nordlys,
        software=release.software,
        starts_on=date(2027, 1, 1),
        ends_on=date(2028, 1, 1),
        purchase_order="PO-7731",
        po_end_user_name=nordlys.name,
        po_end_user_address=nordlys.address,
        by=remy,
        now=NOW,
    )
    question: dict[str, Any] = {
        "organisation": nordlys,
        "software": release.software,
        "release": release,
        "site_country": "NO",
        "purpose": Purpose.CASE,
        "by": ingrid,
    }
    codes = [reason.code for reason in actions.decide(**question, at=NOW).reasons]
    assert codes == [Code.WAITING_FOR_APPROVAL]
    contract_actions.approve_contract(contract=contract, by=ada, now=NOW)
    start, end = datetime(2026, 12, 31, 23, tzinfo=UTC), datetime(2027, 12, 31, 23, tzinfo=UTC)
    for at, granted in (
        (start - MOMENT, False),
        (start, True),
        (end - MOMENT, True),
        (end, False),
    ):
        assert actions.decide(**question, at=at).granted is granted
