"""The pages of contracts, as people use them."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Organisation, User
from contracts import actions
from contracts.kinds import ContractState
from contracts.models import ServiceContract, Software
from tests import factories
from tests.conftest import SignIn, World
from tests.factories import NOW

NASTY = {
    "control characters": "PO\x01\x02",
    "null byte": "PO\x00",
    "newline": "PO\nBcc: x",
    "too long": "x" * 200_000,
}
HARMLESS = {
    "hangul": "발주서 1182호",
    "right to left": "أمر شراء ١٢",
    "emoji": "PO 🛰️ 77",
    "markup": "<script>alert(1)</script>",
}


@pytest.fixture
def edgeprov(nordlys: Organisation) -> Software:
    software = factories.SoftwareFactory.make(name="EdgeProv")
    software.end_users.add(nordlys)
    return software


@pytest.fixture
def client_of_remy(remy: User, edgeprov: Software, sign_in: SignIn) -> Client:
    return sign_in(remy)


def _values(nordlys: Organisation, edgeprov: Software, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "end_user": nordlys.pk,
        "software": edgeprov.pk,
        "starts_on": "2027-01-01",
        "months": "12",
        "purchase_order": "PO-7731",
        "po_end_user_name": nordlys.name,
        "po_end_user_address": nordlys.address,
        "is_internal_use": "on",
    }
    return {**values, **changes}


def _waiting(remy: User, nordlys: Organisation, edgeprov: Software, **changes: Any) -> ServiceContract:
    values: dict[str, Any] = {
        "end_user": nordlys,
        "software": edgeprov,
        "starts_on": date(2027, 1, 1),
        "ends_on": date(2028, 1, 1),
        "purchase_order": "PO-7731",
        "po_end_user_name": nordlys.name,
        "po_end_user_address": nordlys.address,
        "by": remy,
        "now": NOW,
    }
    return actions.register_contract(**{**values, **changes})


@pytest.fixture
def waiting(remy: User, nordlys: Organisation, edgeprov: Software) -> ServiceContract:
    return _waiting(remy, nordlys, edgeprov)


# The list


def test_each_kind_of_person_sees_its_own_contracts(
    request: pytest.FixtureRequest, world: World, waiting: ServiceContract, sign_in: SignIn
) -> None:
    expected = {
        "alice": {world.contract.number},
        "mallory": {world.lapsed.number},
        "remy": {waiting.number},
        "ingrid": {waiting.number},
        "minsu": set(),
        "sam": {world.contract.number, world.lapsed.number, waiting.number},
        "ada": {world.contract.number, world.lapsed.number, waiting.number},
    }
    for who, numbers in expected.items():
        page = sign_in(request.getfixturevalue(who)).get("/contracts/").content.decode()
        shown = {n for n in expected["ada"] if n in page}
        assert shown == numbers, who


def test_the_list_is_filtered_by_condition_end_user_and_nearness_of_the_end(
    world: World, waiting: ServiceContract, ada: User, sign_in: SignIn
) -> None:
    client = sign_in(ada)
    world.contract.ends_on = timezone.now().date() + timedelta(days=30)
    world.contract.starts_on = world.contract.ends_on - timedelta(days=800)
    world.contract.ends_at = timezone.now() + timedelta(days=30)
    world.contract.save()
    for query, number in (
        ("state=in_force", world.contract.number),
        ("state=ended", world.lapsed.number),
        ("state=waiting", waiting.number),
        ("end_user=nordlys-fiber", waiting.number),
        ("ending=90", world.contract.number),
    ):
        rows = client.get(f"/contracts/?{query}").context["rows"]
        assert [contract.number for contract, _condition in rows] == [number], query


@pytest.mark.parametrize(
    "query",
    ["state=%00", "state=nonsense", "ending=99999999999", "ending=-1", "end_user=%00", "after=%00", "after=e30",
     "after=WyJ4IiwxXQ", "before=WyIyMDI3LTAxLTAxIiw5OTk5OTk5OTk5OTk5OTk5OTk5OTld", "sort=drop"],
)  # fmt: skip
def test_nonsense_in_the_address_is_ignored(query: str, world: World, ada: User, sign_in: SignIn) -> None:
    assert sign_in(ada).get(f"/contracts/?{query}").status_code == 200


def test_the_list_pages_by_key_in_both_directions(
    ada: User, sam: User, acme: Organisation, sign_in: SignIn
) -> None:
    for month in range(60):
        software = factories.SoftwareFactory.make()
        start = date(2020, 1, 1) + timedelta(days=31 * (month % 7))
        factories.ContractFactory.make(
            number=f"CS-2019-{month:04}",
            end_user=acme,
            software=software,
            starts_on=start,
            ends_on=start + timedelta(days=400),
            registered_by=sam.acting,
            decided_by=ada.acting,
        )
    client = sign_in(ada)
    first = client.get("/contracts/").context["page"]
    second = client.get(f"/contracts/{first.older}").context["page"]
    back = client.get(f"/contracts/{second.newer}").context["page"]
    numbers = [row.number for row in (*first.rows, *second.rows)]
    assert (len(first.rows), len(second.rows), len(set(numbers))) == (50, 10, 60)
    assert [row.number for row in back.rows] == [row.number for row in first.rows]
    assert (first.newer, second.older) == ("", "")


def test_the_list_costs_few_queries(
    world: World, waiting: ServiceContract, ada: User, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    client = sign_in(ada)
    client.get("/contracts/")
    with django_assert_max_num_queries(8):
        client.get("/contracts/")


# Registering


@pytest.mark.clause("C9", "C10")
def test_a_reseller_registers_the_next_year_of_its_customer(
    client_of_remy: Client, nordlys: Organisation, edgeprov: Software
) -> None:
    page = client_of_remy.get("/contracts/register/").content.decode()
    assert nordlys.address in page  # the only customer there is: chosen, and shown to compare the order with
    assert "staff will look at it" not in page
    answer = client_of_remy.post("/contracts/register/", _values(nordlys, edgeprov), follow=True)
    contract = ServiceContract.objects.get()
    assert answer.redirect_chain == [(f"/contracts/{contract.number}/", 302)]
    assert (contract.starts_on, contract.ends_on) == (date(2027, 1, 1), date(2028, 1, 1))
    shown = answer.content.decode()
    assert "31 December 2027" in shown
    assert "Waiting for approval" in shown


def test_the_last_covered_day_is_shown_for_what_stands_in_the_form(client_of_remy: Client) -> None:
    page = client_of_remy.get("/contracts/register/?starts_on=2027-02-28&months=24").content.decode()
    assert "27 February 2029" in page
    assert client_of_remy.get("/contracts/register/?starts_on=x&months=y").status_code == 200


def test_the_same_form_sent_twice_registers_once(
    client_of_remy: Client, nordlys: Organisation, edgeprov: Software
) -> None:
    values = _values(nordlys, edgeprov, idempotency_key="the-same-key")
    first = client_of_remy.post("/contracts/register/", values)
    again = client_of_remy.post("/contracts/register/", values)
    assert (first.status_code, again.status_code) == (302, 302)
    assert first["Location"] == again["Location"]
    assert ServiceContract.objects.count() == 1


@pytest.mark.clause("C10")
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"months": "11"}, "months"),
        ({"months": "0"}, "months"),
        ({"months": "-3"}, "months"),
        ({"months": "9" * 400}, "months"),
        ({"months": "twelve"}, "months"),
        ({"months": ""}, "months"),
        ({"starts_on": "2027-02-30"}, "starts_on"),
        ({"starts_on": "01/02/2027"}, "starts_on"),
        ({"starts_on": "9999-12-31"}, "starts_on"),
        ({"starts_on": "0001-01-01"}, "starts_on"),
        ({"starts_on": ""}, "starts_on"),
        ({"end_user": "999999"}, "end_user"),
        ({"end_user": "9" * 60}, "end_user"),
        ({"end_user": "abc\x00"}, "end_user"),
        ({"end_user": ""}, "end_user"),
        ({"software": "999999"}, "software"),
        ({"purchase_order": " "}, "purchase_order"),
        *[({"purchase_order": text}, "purchase_order") for text in NASTY.values()],
        ({"po_end_user_address": "a\x00b"}, "po_end_user_address"),
        ({"po_end_user_name": "x" * 201}, "po_end_user_name"),
        ({"renews": "CS-1999-0001"}, "renews"),
    ],
)
def test_bad_input_is_told_beside_its_cause_and_nothing_is_written(
    changes: dict[str, str], field: str, client_of_remy: Client, nordlys: Organisation, edgeprov: Software
) -> None:
    values = _values(nordlys, edgeprov, **{"po_end_user_name": "Typed by hand", **changes})
    answer = client_of_remy.post("/contracts/register/", values)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert 'role="alert"' in answer.content.decode()
    if "po_end_user_name" not in changes:
        assert "Typed by hand" in answer.content.decode()
    assert not ServiceContract.objects.exists()


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS.keys())
def test_any_script_is_kept_as_it_was_typed_and_shown_as_text(
    text: str, client_of_remy: Client, nordlys: Organisation, edgeprov: Software
) -> None:
    answer = client_of_remy.post(
        "/contracts/register/", _values(nordlys, edgeprov, po_end_user_name=text), follow=True
    )
    assert ServiceContract.objects.get().po_end_user_name == text
    shown = answer.content.decode()
    assert "<script>alert" not in shown
    assert (text in shown) != text.startswith("<")


def test_foreign_customers_and_software_are_not_offered_and_not_taken(
    client_of_remy: Client, world: World, nordlys: Organisation, edgeprov: Software, acme: Organisation
) -> None:
    page = client_of_remy.get("/contracts/register/").content.decode()
    assert "Acme Telecom" not in page
    assert "PathKeeper" not in page
    before = ServiceContract.objects.count()
    for changes in ({"end_user": acme.pk}, {"software": world.software.pk}):
        answer = client_of_remy.post("/contracts/register/", _values(nordlys, edgeprov, **changes))
        assert answer.status_code == 422
        assert list(answer.context["form"].errors) == list(changes)
    named = client_of_remy.get(f"/contracts/register/?end_user={acme.pk}").content.decode()
    assert "Acme" not in named
    assert ServiceContract.objects.count() == before


def test_an_overlap_is_told_beside_the_start(
    client_of_remy: Client, waiting: ServiceContract, nordlys: Organisation, edgeprov: Software
) -> None:
    answer = client_of_remy.post("/contracts/register/", _values(nordlys, edgeprov, starts_on="2027-06-01"))
    assert answer.status_code == 422
    assert waiting.number in answer.context["form"].errors["starts_on"][0]
    assert ServiceContract.objects.count() == 1


@pytest.mark.clause("C63")
def test_export_control_is_told_beside_the_end_user(
    client_of_remy: Client, nordlys: Organisation, edgeprov: Software
) -> None:
    nordlys.country = "CU"
    nordlys.save()
    answer = client_of_remy.post("/contracts/register/", _values(nordlys, edgeprov))
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["end_user"])


@pytest.mark.parametrize("who", ["alice", "ingrid", "sam", "paula", "aki"])
def test_others_may_not_register(who: str, request: pytest.FixtureRequest, sign_in: SignIn) -> None:
    client = sign_in(request.getfixturevalue(who))
    assert client.get("/contracts/register/").status_code == 403
    assert client.post("/contracts/register/", {}).status_code == 403


def test_an_administrator_registers_a_direct_contract_without_an_order(
    ada: User, nordlys: Organisation, edgeprov: Software, sign_in: SignIn
) -> None:
    values = _values(nordlys, edgeprov, purchase_order="", po_end_user_name="", po_end_user_address="")
    assert sign_in(ada).post("/contracts/register/", values).status_code == 302
    assert ServiceContract.objects.get().channel == "direct"


# One contract


def test_a_strangers_contract_is_the_same_404_as_one_that_does_not_exist(
    world: World, waiting: ServiceContract, mallory: User, remy: User, sign_in: SignIn
) -> None:
    for who, number in ((mallory, waiting.number), (remy, world.contract.number)):
        client = sign_in(who)
        for path in (f"/contracts/{number}/", "/contracts/CS-1999-0001/", "/contracts/%00/"):
            assert client.get(path).status_code == 404
        for verb in ("approve", "refuse"):
            assert client.post(f"/contracts/{number}/{verb}/", {"reason": "x"}).status_code == 404


@pytest.mark.clause("C12", "C13", "C25")
def test_the_administrator_approves_once_both_documents_are_agreed(
    waiting: ServiceContract, ada: User, ingrid: User, paula: User, sign_in: SignIn
) -> None:
    client = sign_in(ada)
    path = f"/contracts/{waiting.number}/"
    assert "Missing" in client.get(path).content.decode()
    refused = client.post(f"{path}approve/")
    assert refused.status_code == 422
    assert "Design document and test plan are missing" in refused.content.decode()
    factories.agreed_documents(waiting.end_user, waiting.software, ingrid, paula)
    actions.drop_document_tasks(contract=waiting, by=ada, now=NOW)
    shown = client.get(path).content.decode()
    assert "Ingrid Dahl" in shown
    assert "Paula Novak" in shown
    assert client.post(f"{path}approve/").status_code == 302
    waiting.refresh_from_db()
    assert waiting.state == ContractState.APPROVED
    again = client.post(f"{path}approve/")
    assert (again.status_code, "not waiting" in again.content.decode()) == (422, True)


@pytest.mark.clause("C9")
def test_an_order_that_differs_is_shown_and_has_to_be_ticked(
    remy: User,
    ada: User,
    ingrid: User,
    paula: User,
    nordlys: Organisation,
    edgeprov: Software,
    sign_in: SignIn,
) -> None:
    factories.agreed_documents(nordlys, edgeprov, ingrid, paula)
    contract = _waiting(remy, nordlys, edgeprov, po_end_user_name="Nordlys Fibre ASA")
    client, path = sign_in(ada), f"/contracts/{contract.number}/"
    assert "Nordlys Fibre ASA" in client.get(path).content.decode()
    refused = client.post(f"{path}approve/")
    assert (refused.status_code, list(refused.context["approve_form"].errors)) == (422, ["order_checked"])
    assert client.post(f"{path}approve/", {"order_checked": "on"}).status_code == 302


def test_a_refusal_is_read_by_who_registered(
    waiting: ServiceContract, ada: User, remy: User, sign_in: SignIn
) -> None:
    client, path = sign_in(ada), f"/contracts/{waiting.number}/"
    for reason in ("", "   ", "x" * 401, "a\x00"):
        answer = client.post(f"{path}refuse/", {"reason": reason})
        assert (answer.status_code, list(answer.context["refuse_form"].errors)) == (422, ["reason"])
    assert client.post(f"{path}refuse/", {"reason": "The order is unsigned. 서명 없음"}).status_code == 302
    assert "The order is unsigned. 서명 없음" in sign_in(remy).get(path).content.decode()


@pytest.mark.parametrize("who", ["remy", "ingrid", "sam", "paula", "aki"])
def test_others_who_see_it_may_not_decide(
    who: str, request: pytest.FixtureRequest, waiting: ServiceContract, sign_in: SignIn
) -> None:
    client = sign_in(request.getfixturevalue(who))
    page = client.get(f"/contracts/{waiting.number}/")
    assert page.status_code == 200
    assert "Your decision" not in page.content.decode()
    for verb in ("approve", "refuse"):
        answer = client.post(f"/contracts/{waiting.number}/{verb}/", {"reason": "x"})
        assert answer.status_code == 403
        assert client.get(f"/contracts/{waiting.number}/{verb}/").status_code == 405
    waiting.refresh_from_db()
    assert waiting.state == ContractState.WAITING


def test_who_registered_is_told_that_somebody_else_decides(
    ada: User, nordlys: Organisation, edgeprov: Software, sign_in: SignIn
) -> None:
    contract = _waiting(ada, nordlys, edgeprov)
    client = sign_in(ada)
    page = client.get(f"/contracts/{contract.number}/").content.decode()
    assert "somebody else decides" in page
    assert "Your decision" not in page
    assert client.post(f"/contracts/{contract.number}/approve/").status_code == 422


@pytest.mark.clause("C17")
def test_a_contract_in_force_offers_its_renewal_with_everything_filled_in(
    waiting: ServiceContract, remy: User, ada: User, ingrid: User, paula: User, sign_in: SignIn
) -> None:
    factories.agreed_documents(waiting.end_user, waiting.software, ingrid, paula)
    actions.drop_document_tasks(contract=waiting, by=ada, now=NOW)
    actions.approve_contract(contract=waiting, by=ada, now=NOW)
    client = sign_in(remy)
    page = client.get(f"/contracts/{waiting.number}/").content.decode()
    href = page.split('href="/contracts/register/?', 1)[1].split('"', 1)[0].replace("&amp;", "&")
    form = client.get(f"/contracts/register/?{href}").context["form"]
    kept = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    order = {"po_end_user_name": "Nordlys Fiber", "po_end_user_address": "1 Main Street, San Jose, CA"}
    values = {**kept, **order, "purchase_order": "PO-8001", "is_internal_use": "on"}
    assert client.post("/contracts/register/", values).status_code == 302
    renewal = ServiceContract.objects.get(renews=waiting)
    assert (renewal.starts_on, renewal.ends_on) == (date(2028, 1, 1), date(2029, 1, 1))
    assert "Renewed by" in client.get(f"/contracts/{waiting.number}/").content.decode()


def test_a_contract_page_costs_few_queries(
    world: World, alice: User, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    client = sign_in(alice)
    client.get(f"/contracts/{world.contract.number}/")
    with django_assert_max_num_queries(14):
        client.get(f"/contracts/{world.contract.number}/")
