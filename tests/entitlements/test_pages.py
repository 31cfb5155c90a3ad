"""Coverage and notices, as people see them."""

from datetime import date
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Organisation, User
from contracts import actions
from contracts.kinds import ReleaseKind
from contracts.models import Component, InstallTask, Release
from entitlements.actions import decide_and_record
from entitlements.models import DecisionRecord
from notifications.models import Message
from tests import factories
from tests.conftest import SignIn, World
from tests.factories import NOW


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def patch(world: World, paula: User) -> Release:
    draft = actions.draft_release(
        software=world.software,
        version="21.4R3-S5.1",
        kind=ReleaseKind.PATCH,
        line=world.line,
        applies_to=[world.release],
        fixes=factories.DefectFactory.make(software=world.software),
        notes="",
        by=paula,
        now=NOW,
    )
    return actions.publish_release(release=draft, by=paula, now=NOW)


@pytest.mark.clause("C15", "C19", "C25", "C74")
def test_a_contact_sees_until_when_by_which_contract_and_how_soon(
    world: World, anna: User, sign_in: SignIn
) -> None:
    page = sign_in(anna).get("/coverage/").content.decode()
    assert "Covered until 31 March 2027" in page
    assert world.contract.number in page
    assert "21.4R3-S5" in page
    assert "1 h, round the clock" in page
    assert "8 h of business hours" in page
    assert "Targets, never guarantees" in page
    assert "C39–C41" in page
    assert not DecisionRecord.objects.exists()


@pytest.mark.clause("C25")
def test_a_lapsed_contract_says_why_since_when_and_what_would_change_it(
    world: World, mallory: User, sign_in: SignIn
) -> None:
    page = sign_in(mallory).get("/coverage/").content.decode()
    assert "Not covered" in page
    assert f"The contract {world.lapsed.number} ended on 31 October 2026." in page
    assert ">1 Nov 2026 01:00 CET</time>" in page
    assert "Renew the contract" in page


def test_withdrawn_and_earlier_releases_are_history(
    world: World, alice: User, paula: User, sign_in: SignIn
) -> None:
    newer = factories.ReleaseFactory.make(line=world.line, version="21.4R3-S6", published_by=paula.acting)
    actions.accept_release(release=newer, by=alice, now=NOW)
    page = sign_in(alice).get("/coverage/").content.decode()
    assert "still covered" in page
    actions.withdraw_release(release=world.release, reason="Leaks.", by=paula, now=NOW)
    assert "withdrawn" in sign_in(alice).get("/coverage/").content.decode()


def test_staff_choose_an_end_user_and_strangers_find_nobody(
    request: pytest.FixtureRequest, world: World, sign_in: SignIn
) -> None:
    for who, status in (("sam", 200), ("ada", 200), ("alice", 200), ("mallory", 404), ("remy", 404)):
        client = sign_in(request.getfixturevalue(who))
        assert client.get("/coverage/acme-telecom/").status_code == status, who
        assert client.get("/coverage/nobody/").status_code == 404
    page = sign_in(request.getfixturevalue("sam")).get("/coverage/").content.decode()
    assert "Acme Telecom" in page
    assert "Support Center</a>" not in page


def test_a_partner_sees_only_what_its_own_contracts_cover(
    world: World, nordlys: Organisation, remy: User, ada: User, paula: User, ingrid: User, sign_in: SignIn
) -> None:
    direct = factories.SoftwareFactory.make(name="CGN Log Exporter")
    own = factories.SoftwareFactory.make(name="EdgeProv")
    for one in (direct, own):
        one.end_users.add(nordlys)
    staff = {"registered_by": paula.acting, "decided_by": ada.acting}
    hidden = factories.ContractFactory.make(end_user=nordlys, software=direct, **staff)
    before = factories.ContractFactory.make(
        end_user=nordlys, software=own, starts_on=date(2025, 1, 1), ends_on=date(2026, 1, 1), **staff
    )
    factories.accept(
        nordlys, factories.ReleaseFactory.make(line__software=own, published_by=paula.acting), ingrid
    )
    contract = actions.register_contract(
        end_user=nordlys,
        software=own,
        starts_on=date(2027, 1, 1),
        ends_on=date(2028, 1, 1),
        purchase_order="PO-1",
        po_end_user_name=nordlys.name,
        po_end_user_address=nordlys.address,
        by=remy,
        now=NOW,
    )
    page = sign_in(remy).get("/coverage/nordlys-fiber/").content.decode()
    assert contract.number in page
    assert hidden.number not in page
    assert before.number not in page
    assert "CGN Log Exporter" not in page
    assert "Ingrid" not in page
    assert hidden.number in sign_in(ingrid).get("/coverage/").content.decode()


def test_a_partner_without_a_contract_sees_that_there_is_none(
    remy: User, nordlys: Organisation, sign_in: SignIn
) -> None:
    page = sign_in(remy).get("/coverage/nordlys-fiber/").content.decode()
    assert "No contract of yours covers this end user" in page
    assert "Nordlys Fiber" in sign_in(remy).get("/coverage/").content.decode()


def test_the_coverage_page_costs_the_same_for_one_software_and_for_twenty(
    world: World, alice: User, acme: Organisation, sign_in: SignIn
) -> None:
    client = sign_in(alice)
    client.get("/coverage/")
    with CaptureQueriesContext(connection) as one:
        client.get("/coverage/")
    for _ in range(19):
        software = factories.SoftwareFactory.make()
        software.end_users.add(acme)
    with CaptureQueriesContext(connection) as twenty:
        client.get("/coverage/")
    assert len(twenty) == len(one) <= 22


@pytest.mark.clause("C23", "C35")
def test_an_end_user_reads_the_notices_it_was_sent_and_others_none(
    patch: Release, world: World, alice: User, anna: User, mallory: User, minsu: User, sign_in: SignIn
) -> None:
    for who in (alice, anna):  # anna joined after it was sent: it is her organisation's all the same
        assert "21.4R3-S5.1" in sign_in(who).get("/notices/").content.decode()
    for who in (mallory, minsu):
        assert "21.4R3-S5.1" not in sign_in(who).get("/notices/").content.decode()


def test_staff_see_what_was_published_and_how_far_it_got(
    world: World, alice: User, paula: User, patch: Release, sign_in: SignIn
) -> None:
    ((_release, counts, own),) = sign_in(paula).get("/notices/").context["rows"]
    assert (counts.told, counts.sent, counts.opened, own) == (1, 0, 0, None)


def test_the_own_notice_leads_through_the_inbox_so_that_opening_counts(
    world: World, alice: User, patch: Release, sign_in: SignIn
) -> None:
    message = Message.objects.get(recipient=alice.acting)
    assert f"/inbox/{message.pk}/" in sign_in(alice).get("/notices/").content.decode()


def test_nobody_sees_the_drafts_or_upgrades_among_the_notices(
    world: World, paula: User, sign_in: SignIn
) -> None:
    factories.ReleaseFactory.make(
        line=world.line, version="30.1", kind=ReleaseKind.UPGRADE, published_by=paula.acting
    )
    assert "30.1" not in sign_in(paula).get("/notices/").content.decode()


# What if, why, and one decision


WHAT_IF = {"software": "pathkeeper", "day": "2026-12-24", "priority": "P2", "subject": "break_fix"}


@pytest.mark.clause("C15", "C25")
def test_a_day_that_is_asked_about_is_answered_with_the_target_and_nothing_is_written(
    world: World, alice: User, sign_in: SignIn
) -> None:
    client = sign_in(alice)
    asked = {**WHAT_IF, "release": world.release.pk}
    page = client.get("/coverage/", asked).content.decode()
    assert "Covered until 31 March 2027 by" in page
    assert "First response within 1 h, round the clock." in page
    late = client.get("/coverage/", {**asked, "day": "2027-04-01"})
    assert [reason.code.value for reason in late.context["answer"].reasons] == ["ended"]
    assert late.context["answer"].reasons[0].clause == "C25"
    assert "The portal is open to the end user during the term" in late.content.decode()
    assert not DecisionRecord.objects.exists()


@pytest.mark.clause("C69", "C70", "C71", "C72", "C73")
@pytest.mark.parametrize(
    ("asked", "clause"),
    [
        ({"subject": "warranty"}, "C69"),
        ({"component": "openssl"}, "C70"),
        ({"subject": "third_party_component"}, "C70"),
        ({"subject": "outside_documents"}, "C71"),
        ({"subject": "modification"}, "C72"),
        ({"subject": "consulting"}, "C73"),
    ],
)
def test_every_exclusion_can_be_tried(
    asked: dict[str, str], clause: str, world: World, sam: User, sign_in: SignIn
) -> None:
    Component.objects.create(release=world.release, name="OpenSSL", version="3.0.13", licence="Apache-2.0")
    page = sign_in(sam).get("/coverage/acme-telecom/", {**WHAT_IF, "release": world.release.pk, **asked})
    assert [reason.clause for reason in page.context["answer"].reasons] == [clause]


@pytest.mark.parametrize(
    "asked",
    [
        {"day": "2026-02-30"},
        {"day": "0001-01-01"},
        {"software": "nothing"},
        {"release": "999999"},
        {"release": "x"},
        {"priority": "P9"},
        {"subject": "\x00"},
    ],
)
def test_a_question_that_makes_no_sense_is_refused_beside_its_field(
    asked: dict[str, str], world: World, alice: User, sign_in: SignIn
) -> None:
    page = sign_in(alice).get("/coverage/", {**WHAT_IF, **asked})
    assert page.status_code == 200
    assert set(page.context["form"].errors) == set(asked)


def test_a_partner_asks_about_the_contracts_it_registered_and_never_about_what_runs(
    world: World, nordlys: Organisation, remy: User, ingrid: User, paula: User, ada: User, sign_in: SignIn
) -> None:
    world.software.end_users.add(nordlys)
    factories.accept(nordlys, world.release, ingrid)
    factories.DriftFactory.make(organisation=nordlys, release=world.release, recorded_by=ingrid.acting)
    staff = {"registered_by": paula.acting, "decided_by": ada.acting}
    hidden = factories.ContractFactory.make(end_user=nordlys, software=world.software, **staff)
    own = actions.register_contract(
        end_user=nordlys,
        software=world.software,
        starts_on=date(2027, 4, 1),
        ends_on=date(2028, 4, 1),
        purchase_order="PO-1",
        po_end_user_name=nordlys.name,
        po_end_user_address=nordlys.address,
        by=remy,
        now=NOW,
    )
    page = sign_in(remy).get("/coverage/nordlys-fiber/", WHAT_IF)
    (reason, *_others) = page.context["answer"].reasons
    assert (reason.code.value, reason.fact["number"]) == ("waiting_for_approval", own.number)
    assert hidden.number not in page.content.decode()
    assert "release" not in page.context["form"].fields
    assert "drift" not in {r.code.value for r in page.context["answer"].reasons}


@pytest.mark.clause("C42", "C43", "C48")
def test_the_coverage_shows_drift_open_installations_and_the_line_of_accepted_releases(
    world: World, patch: Release, alice: User, paula: User, sign_in: SignIn
) -> None:
    factories.DriftFactory.make(
        organisation=world.contract.end_user, release=world.release, recorded_by=alice.acting
    )
    InstallTask.objects.create(
        organisation=world.contract.end_user,
        software=world.software,
        release=patch,
        instruction="Install it.",
        due_on=date(2026, 11, 1),
        created_by=paula.acting,
        created_at=NOW,
    )
    page = sign_in(alice).get("/coverage/").content.decode()
    assert "has differed from the accepted release since" in page
    assert "To be installed" in page
    assert "overdue" in page
    assert '<rect class="step now"' in page
    assert '<rect class="drift"' in page


def test_a_decision_shows_its_facts_its_rules_and_that_it_replays(
    world: World, alice: User, sam: User, mallory: User, sign_in: SignIn
) -> None:
    _answer, record = decide_and_record(
        organisation=world.contract.end_user,
        software=world.software,
        release=world.release,
        site_country="US",
        purpose="case",
        by=alice,
        now=NOW,
    )
    for who in (alice, sam):
        page = sign_in(who).get(f"/decisions/{record.pk}/").content.decode()
        assert "Same answer" in page
        assert world.contract.number in page
        assert "Alice Brandt" in page
    assert sign_in(mallory).get(f"/decisions/{record.pk}/").status_code == 404
    assert DecisionRecord.objects.count() == 1


def test_the_api_reads_decisions_as_they_were_taken(
    world: World, alice: User, mallory: User, sign_in: SignIn
) -> None:
    _answer, record = decide_and_record(
        organisation=world.contract.end_user,
        software=world.software,
        release=world.release,
        site_country="US",
        purpose="case",
        by=alice,
        now=NOW,
    )
    (row,) = sign_in(alice).get("/api/v1/decisions/").json()["results"]
    assert (row["granted"], row["rule_version"], row["answer"]) == (True, 2, record.answer)
    assert sign_in(mallory).get("/api/v1/decisions/").json()["results"] == []
    assert sign_in(mallory).get(f"/api/v1/decisions/{record.pk}/").status_code == 404
