"""`/api/v1/contracts/`: the same rows and verbs as the pages."""

from datetime import date
from typing import Any

import pytest

from accounts.models import Organisation, User
from contracts import actions
from contracts.kinds import ContractState
from contracts.models import ServiceContract
from tests import factories
from tests.conftest import SignIn, World
from tests.factories import NOW

API = "/api/v1/contracts/"


@pytest.fixture
def waiting(remy: User, nordlys: Organisation, ingrid: User, paula: User) -> ServiceContract:
    software = factories.SoftwareFactory.make(name="EdgeProv")
    software.end_users.add(nordlys)
    factories.agreed_documents(nordlys, software, ingrid, paula)
    return actions.register_contract(
        end_user=nordlys,
        software=software,
        starts_on=date(2027, 1, 1),
        ends_on=date(2028, 1, 1),
        purchase_order="PO-7731",
        po_end_user_name=nordlys.name,
        po_end_user_address=nordlys.address,
        by=remy,
        now=NOW,
    )


def test_each_person_reads_its_own_contracts(
    request: pytest.FixtureRequest, world: World, waiting: ServiceContract, sign_in: SignIn
) -> None:
    expected = {
        "alice": [world.contract.number],
        "remy": [waiting.number],
        "minsu": [],
        "aki": sorted([world.contract.number, world.lapsed.number, waiting.number]),
    }
    for who, numbers in expected.items():
        answer = sign_in(request.getfixturevalue(who)).get(API).json()
        assert sorted(row["number"] for row in answer["results"]) == numbers, who


def test_one_contract_tells_dates_condition_and_parties(world: World, mallory: User, sign_in: SignIn) -> None:
    row = sign_in(mallory).get(f"{API}{world.lapsed.number}/").json()
    assert (row["condition"], row["last_covered_day"], row["end_user"], row["partner"]) == (
        "ended",
        "2026-10-31",
        "rival-net",
        None,
    )


def test_a_strangers_contract_is_the_same_404_as_none(
    world: World, waiting: ServiceContract, mallory: User, sign_in: SignIn
) -> None:
    client = sign_in(mallory)
    foreign = client.get(f"{API}{world.contract.number}/")
    missing = client.get(f"{API}CS-1999-0001/")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.content == missing.content
    for verb in ("approve", "refuse"):
        assert client.post(f"{API}{waiting.number}/{verb}/", {"reason": "x"}).status_code == 404


def test_an_administrator_approves(waiting: ServiceContract, ada: User, sign_in: SignIn) -> None:
    client = sign_in(ada)
    answer = client.post(f"{API}{waiting.number}/approve/")
    assert (answer.status_code, answer.json()["state"]) == (200, "approved")
    assert client.post(f"{API}{waiting.number}/approve/").status_code == 409


@pytest.mark.clause("C12")
def test_what_stands_in_the_way_is_a_problem_with_its_reason(
    waiting: ServiceContract, ada: User, paula: User, sign_in: SignIn
) -> None:
    for document in waiting.end_user.documents.all():
        actions.mark_out_of_date(document=document, by=paula, now=NOW)
    answer = sign_in(ada).post(f"{API}{waiting.number}/approve/")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert "out of date" in answer.json()["errors"]["non_field_errors"][0]


@pytest.mark.parametrize(
    "body", [{}, {"reason": ""}, {"reason": "x" * 401}, {"reason": "a\x00"}, {"reason": "\x01"}]
)
def test_a_refusal_needs_a_reason(
    body: dict[str, Any], waiting: ServiceContract, ada: User, sign_in: SignIn
) -> None:
    answer = sign_in(ada).post(f"{API}{waiting.number}/refuse/", body, content_type="application/json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["reason"])
    waiting.refresh_from_db()
    assert waiting.state == ContractState.WAITING


def test_a_refusal_is_kept(waiting: ServiceContract, ada: User, sign_in: SignIn) -> None:
    body = {"reason": "The order is unsigned."}
    answer = sign_in(ada).post(f"{API}{waiting.number}/refuse/", body, content_type="application/json")
    assert (answer.json()["state"], answer.json()["refusal_reason"]) == ("refused", "The order is unsigned.")


@pytest.mark.parametrize("who", ["remy", "ingrid", "sam", "paula", "aki"])
def test_others_may_not_decide(
    who: str, request: pytest.FixtureRequest, waiting: ServiceContract, sign_in: SignIn
) -> None:
    client = sign_in(request.getfixturevalue(who))
    for verb in ("approve", "refuse"):
        assert client.post(f"{API}{waiting.number}/{verb}/", {"reason": "x"}).status_code == 403
    for method in (client.put, client.patch, client.delete):
        assert method(f"{API}{waiting.number}/").status_code in (403, 405)
    assert client.post(API, {}).status_code == (400 if who == "remy" else 403)


def test_the_list_is_filtered_by_condition(
    world: World, waiting: ServiceContract, ada: User, sign_in: SignIn
) -> None:
    client = sign_in(ada)
    assert [row["number"] for row in client.get(f"{API}?state=waiting").json()["results"]] == [waiting.number]
    refused = client.get(f"{API}?state=sleeping%00")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["state"])


def test_the_list_pages_by_cursor(ada: User, sam: User, acme: Organisation, sign_in: SignIn) -> None:
    for _ in range(7):
        software = factories.SoftwareFactory.make()
        factories.ContractFactory.make(
            end_user=acme, software=software, registered_by=sam.acting, decided_by=ada.acting
        )
    client = sign_in(ada)
    seen: list[str] = []
    url = f"{API}?page_size=3"
    while url:
        answer = client.get(url).json()
        seen += [row["number"] for row in answer["results"]]
        url = answer["next"]
    assert len(seen) == len(set(seen)) == 7


def test_the_list_costs_few_queries(
    world: World, waiting: ServiceContract, ada: User, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    client = sign_in(ada)
    client.get(API)
    with django_assert_max_num_queries(5):
        client.get(API)


# Registering and renewing


def _body(contract: ServiceContract, **changes: Any) -> dict[str, Any]:
    body = {
        "end_user": "nordlys-fiber",
        "software": contract.software.slug,
        "starts_on": "2028-01-01",
        "purchase_order": "PO-7732",
        "po_end_user_name": "Nordlys Fiber",
        "po_end_user_address": "1 Main Street, San Jose, CA",
        "is_internal_use": True,
    }
    return {**body, **changes}


@pytest.mark.clause("C9", "C11")
def test_a_partner_registers_and_the_answer_is_the_contract(
    waiting: ServiceContract, remy: User, sign_in: SignIn
) -> None:
    answer = sign_in(remy).post(API, _body(waiting), content_type="application/json")
    row = answer.json()
    assert (answer.status_code, row["state"], row["ends_on"], row["partner"]) == (
        201,
        "waiting",
        "2029-01-01",
        "meridian-networks",
    )


@pytest.mark.attack("foreign ids in the body")
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"end_user": "acme-telecom"}, "end_user"),
        ({"end_user": 7}, "end_user"),
        ({"end_user": "a\x00"}, "end_user"),
        ({"software": "pathkeeper"}, "software"),
        ({"software": None}, "software"),
        ({"software": None, "sow_reference": "SOW-NEVER"}, "sow_reference"),
        ({"months": 11}, "months"),
        ({"starts_on": "2028-02-30"}, "starts_on"),
        ({"starts_on": "9999-12-31"}, "starts_on"),
        ({"starts_on": "2027-06-01"}, "starts_on"),
        ({"purchase_order": ""}, "purchase_order"),
        ({"purchase_order": "a\nb"}, "purchase_order"),
        ({"is_internal_use": False}, "is_internal_use"),
        ({"co_terminates_with": "CS-2020-5000", "co_termination_reason": "x"}, "co_terminates_with"),
    ],
)
def test_what_cannot_be_registered_is_told_by_field(
    changes: dict[str, Any],
    field: str,
    world: World,
    waiting: ServiceContract,
    remy: User,
    sign_in: SignIn,
) -> None:
    before = ServiceContract.objects.count()
    body = _body(waiting, **changes)
    answer = sign_in(remy).post(API, body, content_type="application/json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert ServiceContract.objects.count() == before


@pytest.mark.clause("C17")
def test_a_contract_is_renewed_once_where_it_ends_or_later(
    waiting: ServiceContract, remy: User, ada: User, ingrid: User, sign_in: SignIn
) -> None:
    client = sign_in(remy)
    order = {key: value for key, value in _body(waiting).items() if key.startswith(("p", "is"))}
    path = f"{API}{waiting.number}/renew/"
    assert client.post(path, order, content_type="application/json").status_code == 409  # not approved yet
    actions.approve_contract(contract=waiting, by=ada, now=NOW)
    early = client.post(path, {**order, "starts_on": "2027-12-31"}, content_type="application/json")
    assert list(early.json()["errors"]) == ["starts_on"]
    assert sign_in(ingrid).post(path, order, content_type="application/json").status_code == 403
    answer = client.post(path, order, content_type="application/json")
    row = answer.json()
    assert (answer.status_code, row["renews"], row["starts_on"]) == (201, waiting.number, "2028-01-01")
    again = {**order, "starts_on": "2030-01-01"}
    assert client.post(path, again, content_type="application/json").status_code == 409


@pytest.mark.clause("C9")
def test_an_order_that_differs_is_not_approved_by_the_api_without_saying_so(
    waiting: ServiceContract, ada: User, sign_in: SignIn
) -> None:
    ServiceContract.objects.update(po_end_user_name="Nordlys Fibre")
    client, path = sign_in(ada), f"{API}{waiting.number}/approve/"
    assert list(client.post(path).json()["errors"]) == ["order_checked"]
    assert client.post(path, {"order_checked": True}, content_type="application/json").status_code == 200
