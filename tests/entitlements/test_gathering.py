"""Facts of organisations, in four queries however many they are."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import ExcludedCountry, Organisation, User
from accounts.roles import Role
from contracts.kinds import ContractState
from contracts.models import Software
from entitlements.gathering import facts_for
from tests import factories
from tests.conftest import World
from tests.factories import NOW


def test_the_facts_tell_contract_acceptance_software_and_who_is_there(
    world: World, acme: Organisation
) -> None:
    facts = facts_for([acme], NOW)[acme.pk]
    assert (facts.organisation, facts.country, str(facts.zone)) == (
        "Acme Telecom",
        "US",
        "America/Los_Angeles",
    )
    assert [(s.id, s.name, s.kind) for s in facts.software] == [
        (world.software.pk, "PathKeeper", "supported")
    ]
    (contract,) = facts.contracts
    assert (contract.number, contract.state, contract.ends_on) == (
        world.contract.number,
        "approved",
        date(2027, 4, 1),
    )
    (accepted,) = facts.accepted
    assert (accepted.line, accepted.version, accepted.accepted_by) == ("21.4R3", "21.4R3-S5", "Alice Brandt")
    assert facts.has_technical_contact
    assert {row.country for row in facts.export_control} == {"CU", "IR", "KP", "SD", "SY"}


def test_an_organisation_with_nothing_has_facts_too(nordlys: Organisation) -> None:
    facts = facts_for([nordlys], NOW)[nordlys.pk]
    assert (facts.software, facts.contracts, facts.accepted, facts.has_technical_contact) == (
        (),
        (),
        (),
        False,
    )
    assert facts_for([], NOW) == {}


def test_a_technical_contact_who_left_or_was_deactivated_does_not_count(
    alice: User, acme: Organisation
) -> None:
    assert facts_for([acme], NOW)[acme.pk].has_technical_contact
    alice.is_active = False
    alice.save()
    assert not facts_for([acme], NOW)[acme.pk].has_technical_contact
    factories.person("x@acme.example", "Xenia Ray", acme, Role.CONTACT)
    assert not facts_for([acme], NOW)[acme.pk].has_technical_contact


def test_a_country_row_that_has_ended_is_no_fact(acme: Organisation) -> None:
    ExcludedCountry.objects.filter(country="SD").update(to_on=NOW.date(), reason="Left the group")
    assert "SD" not in {row.country for row in facts_for([acme], NOW)[acme.pk].export_control}


@pytest.mark.clause("C12", "C14")
@pytest.mark.parametrize("agreed", [True, False])
def test_documents_of_a_waiting_contract_count_as_they_stand(
    agreed: bool, world: World, nordlys: Organisation, ingrid: User, paula: User
) -> None:
    if agreed:
        factories.agreed_documents(nordlys, world.software, ingrid, paula)
    factories.ContractFactory.make(
        end_user=nordlys,
        software=world.software,
        state=ContractState.WAITING,
        decided_by=None,
        decided_at=None,
        registered_by=paula.acting,
        has_agreed_documents=False,
    )
    (contract,) = facts_for([nordlys], NOW)[nordlys.pk].contracts
    assert contract.prerequisites_met is agreed


@pytest.mark.parametrize("count", [1, 200])
def test_four_queries_for_any_number_of_organisations(count: int, paula: User) -> None:
    software = factories.SoftwareFactory.make()
    release = factories.ReleaseFactory.make(line__software=software, published_by=paula.acting)
    organisations = [_customer(software, paula) for _ in range(count)]
    for organisation in organisations:
        factories.accept(organisation, release, paula)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        facts = facts_for(organisations, NOW)
    assert len(queries) <= 4
    assert len(facts) == count
    assert all(len(one.contracts) == len(one.accepted) == len(one.software) == 1 for one in facts.values())


def _customer(software: Software, staff: User) -> Organisation:
    organisation = factories.OrganisationFactory.make()
    software.end_users.add(organisation)
    registrar = factories.MembershipFactory.make(organisation=organisation)
    factories.ContractFactory.make(
        end_user=organisation, software=software, registered_by=registrar, decided_by=staff.acting
    )
    return organisation
