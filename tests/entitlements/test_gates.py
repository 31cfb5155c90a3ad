"""Export control at its four gates (C63), and the record of a registration."""

from datetime import date
from typing import Any

import pytest

from accounts import actions as accounts_actions
from accounts.export_control import CountryExcluded
from accounts.models import ExcludedCountry, Invitation, Membership, Organisation, User
from accounts.roles import Role
from contracts import actions as contract_actions
from contracts.models import ServiceContract
from entitlements.actions import decide, replay
from entitlements.kinds import Purpose
from entitlements.models import DecisionRecord
from entitlements.reasons import Code
from tests import factories
from tests.conftest import World
from tests.factories import NOW

SUBJECTS = ("end user", "site", "person")


def put(what: str, where: str, organisation: Organisation, person: User) -> None:
    """Move the end user, one of its sites, or the person into a country."""
    if what == "person":
        person.country = where
        person.save()
    elif what == "site":
        factories.SiteFactory.make(organisation=organisation, country=where)
    else:
        organisation.country = where
        organisation.save()


def register(organisation: Organisation, world: World, by: User) -> ServiceContract:
    return contract_actions.register_contract(
        end_user=organisation,
        software=world.software,
        starts_on=date(2027, 1, 1),
        ends_on=date(2028, 1, 1),
        purchase_order="PO-1",
        po_end_user_name=organisation.name,
        po_end_user_address=organisation.address,
        by=by,
        now=NOW,
    )


@pytest.fixture
def customer(world: World, nordlys: Organisation, remy: User) -> Organisation:
    world.software.end_users.add(nordlys)
    return nordlys


def test_a_registration_keeps_its_decision_with_the_contract_and_replays(
    customer: Organisation, world: World, remy: User
) -> None:
    contract = register(customer, world, remy)
    record = DecisionRecord.objects.get()
    assert (record.purpose, record.is_granted, record.contract) == ("registration", True, contract)
    assert (record.asked_by, record.organisation) == (remy.acting, customer)
    assert replay(record).as_record() == record.answer
    assert replay(record).explain() == [
        f"Nothing stands against the registration of the contract {contract.number}."
    ]


@pytest.mark.clause("C63")
@pytest.mark.parametrize("what", SUBJECTS)
def test_no_contract_is_registered_for_or_from_a_country_under_export_control(
    what: str, customer: Organisation, world: World, remy: User
) -> None:
    put(what, "IR", customer, remy)
    with pytest.raises(CountryExcluded):
        register(customer, world, remy)
    assert not DecisionRecord.objects.exists()
    assert not ServiceContract.objects.filter(end_user=customer).exists()


@pytest.mark.clause("C63")
def test_nobody_of_an_end_user_under_export_control_is_invited(acme: Organisation, alice: User) -> None:
    put("end user", "IR", acme, alice)
    with pytest.raises(CountryExcluded):
        accounts_actions.invite(
            organisation=acme, email="new@acme.example", name="New", roles=[Role.CONTACT], by=alice, now=NOW
        )
    assert not Invitation.objects.exists()


@pytest.mark.clause("C63")
@pytest.mark.parametrize("what", SUBJECTS)
def test_no_case_is_owed_in_a_country_under_export_control(
    what: str, world: World, acme: Organisation, alice: User
) -> None:
    put(what, "IR", acme, alice)
    alice.acting = Membership.objects.select_related("organisation").get(user=alice)
    answer = decide(
        organisation=acme,
        software=world.software,
        release=world.release,
        site_country="IR" if what == "site" else "US",
        purpose=Purpose.CASE,
        by=alice,
        at=NOW,
    )
    (reason,) = answer.reasons
    assert (reason.code, reason.variant) == (Code.EXPORT_CONTROL, what.replace(" ", "_"))


@pytest.mark.clause("C63")
def test_a_row_that_has_ended_opens_the_gates_again(customer: Organisation, world: World, remy: User) -> None:
    put("end user", "SD", customer, remy)
    ExcludedCountry.objects.filter(country="SD").update(to_on=NOW.date(), reason="Left the group")
    assert register(customer, world, remy).pk


def test_staff_register_from_wherever_they_are(world: World, ada: User, nordlys: Organisation) -> None:
    world.software.end_users.add(nordlys)
    ada.country = "IR"
    ada.save()
    values: dict[str, Any] = {"organisation": nordlys, "world": world, "by": ada}
    assert register(**values).pk
