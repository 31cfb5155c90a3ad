"""Opening a case: the page in four parts, the coverage answer, and everything that can be typed wrongly."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Organisation, User
from accounts.roles import Role
from cases.models import Attachment, Case, CaseEvent, Cycle, Watcher
from contracts.kinds import ReleaseState
from entitlements.models import DecisionRecord
from files.models import StoredFile
from notifications.models import Message
from tests import factories
from tests.conftest import SignIn, World

pytestmark = pytest.mark.django_db
URL = "/cases/new/"


@pytest.fixture
def typed(world: World) -> dict[str, Any]:
    return {
        "software": world.software.pk,
        "release": world.release.pk,
        "site": world.site.pk,
        "environment": "production",
        "synopsis": "BGP sessions flap on both route reflectors",
        "description": "Since the failover at 02:00 every session flaps once a minute.",
        "activity": "A planned failover",
        "access": "Read-only until 18:00",
        "priority": "P1",
        "customer_reference": "INC0042117",
        "follow_up": "full_mail",
        "backup_confirmed": "on",
    }


@pytest.fixture
def client(alice: User, sign_in: SignIn) -> Client:
    return sign_in(alice)


def nothing_was_written() -> bool:
    kinds = (Case, CaseEvent, DecisionRecord, Message, StoredFile)
    return not any(kind._default_manager.exists() for kind in kinds)


@pytest.mark.clause("C54", "C55", "C50b")
def test_the_page_shows_four_parts_asks_for_the_backup_and_for_english(client: Client, world: World) -> None:
    page = client.get(URL).content.decode()
    for part in ("What runs where", "What is wrong", "How bad", "Whom to keep informed"):
        assert part in page
    assert "(C54, C55)" in page
    assert "(C50b)" in page


@pytest.mark.clause("C27")
def test_a_contact_opens_a_p1_with_reference_log_file_and_colleagues(
    client: Client, typed: dict[str, Any], anna: User
) -> None:
    assert anna.acting is not None
    logs = [SimpleUploadedFile(f"{name}.log", b"exporter[2211]: E_SPOOL_FULL\n") for name in ("a", "b")]
    answer = client.post(URL, typed | {"files": logs, "watchers": [anna.acting.pk]})
    case = Case.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/cases/{case.number}/")
    assert (case.customer_reference, case.priority, case.channel) == ("INC0042117", "P1", "web")
    assert case.decision.is_granted
    assert Cycle.objects.filter(case=case).count() == 1
    assert [row.stored.name for row in Attachment.objects.filter(case=case).order_by("pk")] == [
        "a.log",
        "b.log",
    ]
    assert [row.membership for row in Watcher.objects.filter(case=case)] == [anna.acting]


def test_the_same_form_sent_twice_makes_one_case(client: Client, typed: dict[str, Any]) -> None:
    key = re.search(r'name="idempotency_key" value="([^"]+)"', client.get(URL).content.decode())
    assert key is not None
    first = client.post(URL, typed | {"idempotency_key": key[1]})
    second = client.post(URL, typed | {"idempotency_key": key[1]})
    assert Case.objects.count() == 1
    assert (second.status_code, second["Location"]) == (302, first["Location"])


# The coverage answer


def test_the_coverage_is_shown_as_soon_as_site_software_and_release_are_chosen(
    client: Client, world: World, typed: dict[str, Any]
) -> None:
    query = {name: typed[name] for name in ("site", "software", "release", "priority")}
    part = client.get(f"{URL}coverage/", query).content.decode()
    assert f"Covered until 31 March 2027 by {world.contract.number}" in part
    assert "accepted by Alice Brandt" in part
    assert "First response to a P1 within 1 h, round the clock" in part
    assert "+1 408 555 0100" in part, "a P1 is better told by telephone too"
    assert not DecisionRecord.objects.exists()


def test_the_answer_stands_on_the_page_too_after_a_plain_submit(
    client: Client, typed: dict[str, Any]
) -> None:
    page = client.post(URL, typed | {"synopsis": ""})
    assert page.status_code == 400
    assert "Covered until 31 March 2027" in page.content.decode()


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"site": "x", "software": "1", "release": "1"},
        {"site": "1", "software": "99999999999999999999999", "release": "1"},
        {"site": "\x00", "software": "-1", "release": "0", "priority": "P9"},
    ],
)
def test_a_question_that_makes_no_sense_has_no_answer_yet(
    client: Client, world: World, query: dict[str, str]
) -> None:
    part = client.get(f"{URL}coverage/", query)
    assert part.status_code == 200
    assert "Choose software, release and site" in part.content.decode()


def test_another_organisations_site_has_no_answer(
    client: Client, world: World, typed: dict[str, Any]
) -> None:
    query = {"site": world.rival_site.pk, "software": typed["software"], "release": typed["release"]}
    assert "Choose software, release and site" in client.get(f"{URL}coverage/", query).content.decode()


def test_choosing_the_software_narrows_the_releases(client: Client, world: World, acme: Organisation) -> None:
    other = factories.ReleaseFactory.make(version="2.6.1")
    other.software.end_users.set([acme])
    everything = client.get(URL).content.decode()
    assert "2.6.1" in everything
    assert "21.4R3-S5" in everything
    query = {"software": other.software.pk}
    part = client.get(f"{URL}coverage/", query, headers={"HX-Trigger": "by-software"}).content.decode()
    assert "2.6.1" in part
    assert "21.4R3-S5" not in part


# Refused


@pytest.mark.clause("C25")
def test_a_lapsed_customer_is_refused_and_told_why_since_when_and_what_would_change_it(
    mallory: User, world: World, sign_in: SignIn, typed: dict[str, Any]
) -> None:
    page = sign_in(mallory).post(URL, typed | {"site": world.rival_site.pk})
    text = page.content.decode()
    assert page.status_code == 403
    assert f"The contract {world.lapsed.number} ended on 31 October 2026" in text
    assert "1 Nov 2026" in text
    assert "Renew the contract" in text
    assert "BGP sessions flap on both route reflectors" in text, "what was typed is kept"
    assert not Case.objects.exists()
    assert not Message.objects.exists()
    record = DecisionRecord.objects.get()
    assert not record.is_granted


# Bad input: a message beside its cause, the typed text kept, nothing written


def assert_refused(client: Client, typed: dict[str, Any], field: str, words: str) -> None:
    page = client.post(URL, typed)
    text = page.content.decode()
    assert page.status_code == 400
    assert words in text
    beside = re.search(rf'id="id_{field}_error".*?</ul>', text, re.DOTALL)
    assert beside is not None, f"the message stands beside {field}"
    assert words in beside[0]
    assert "There is a problem" in text or "problems" in text
    kept = "description" if field != "description" else "synopsis"
    assert typed[kept] in text
    assert nothing_was_written()


REQUIRED = ["software", "release", "site", "environment", "synopsis", "description", "priority", "follow_up"]


@pytest.mark.parametrize("field", REQUIRED)
def test_what_is_missing_is_asked_for(client: Client, typed: dict[str, Any], field: str) -> None:
    del typed[field]
    page = client.post(URL, typed)
    assert page.status_code == 400
    assert f'id="id_{field}_error"' in page.content.decode()
    assert nothing_was_written()


@pytest.mark.clause("C54")
def test_without_the_backup_confirmed_nothing_is_opened(client: Client, typed: dict[str, Any]) -> None:
    del typed["backup_confirmed"]
    assert_refused(client, typed, "backup_confirmed", "Confirm that your data are protected and backed up")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("synopsis", "x" * 161, "at most 160 characters (it has 161)"),
        ("description", "x" * 205_000, "at most 200000 characters (it has 205000)"),
        ("activity", "x" * 4001, "at most 4000 characters"),
        ("customer_reference", "x" * 81, "at most 80 characters"),
        ("synopsis", "null \x00 byte", "Null characters are not allowed."),
        ("description", "null \x00 byte", "Null characters are not allowed."),
        ("description", "fine\nfine\nred \x1b[31m text", "control character U+001B in line 3"),
        ("synopsis", "bell \x07", "control character U+0007 in line 1"),
        ("synopsis", " \u3000 ", "This field is required."),
        ("priority", "P9", "P9 is not one of the available choices"),
        ("environment", "moon", "moon is not one of the available choices"),
        ("site", "abc", "Choose one of the entries of the list."),
        ("site", "999999", "Choose one of the entries of the list."),
        ("site", "99999999999999999999999999", "Choose one of the entries of the list."),
        ("site", "\x00", "Choose one of the entries of the list."),
        ("software", "-1", "Choose one of the entries of the list."),
        ("release", "1 OR 1=1", "Choose one of the entries of the list."),
        ("watchers", "999999", "Choose among the entries of the list."),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(
    client: Client, typed: dict[str, Any], anna: User, field: str, value: str, words: str
) -> None:
    assert_refused(client, typed | {field: value}, field, words)


def test_somebody_elses_site_is_no_choice(client: Client, typed: dict[str, Any], world: World) -> None:
    words = "Choose one of the entries of the list."
    assert_refused(client, typed | {"site": world.rival_site.pk}, "site", words)


def test_somebody_elses_colleague_is_no_choice(
    client: Client, typed: dict[str, Any], mallory: User, anna: User
) -> None:
    assert mallory.acting is not None
    words = "Choose among the entries of the list."
    assert_refused(client, typed | {"watchers": mallory.acting.pk}, "watchers", words)


def test_a_release_of_another_product_is_refused_by_name(
    client: Client, typed: dict[str, Any], acme: Organisation
) -> None:
    other = factories.ReleaseFactory.make(version="2.6.1")
    other.software.end_users.set([acme])
    assert_refused(client, typed | {"release": other.pk}, "release", "2.6.1 is not a release of PathKeeper")


def test_a_draft_is_nobodys_running_release(client: Client, typed: dict[str, Any], world: World) -> None:
    draft = factories.ReleaseFactory.make(
        line=world.line, version="21.4R3-S9", state=ReleaseState.DRAFT, published_at=None, published_by=None
    )
    words = "Choose one of the entries of the list."
    assert_refused(client, typed | {"release": draft.pk}, "release", words)


def test_an_empty_file_is_refused_by_name(client: Client, typed: dict[str, Any]) -> None:
    page = client.post(URL, typed | {"files": SimpleUploadedFile("core.gz", b"")})
    assert page.status_code == 400
    assert "The submitted file is empty." in page.content.decode()
    assert nothing_was_written()


def test_too_many_files_are_refused_and_have_to_be_chosen_again(
    client: Client, typed: dict[str, Any]
) -> None:
    many = [SimpleUploadedFile(f"{n}.log", b"x") for n in range(21)]
    page = client.post(URL, typed | {"files": many}).content.decode()
    assert "Attach at most 20 files at once." in page
    assert "Choose your 21 files again" in page
    assert nothing_was_written()


@pytest.mark.parametrize(
    "text",
    [
        "장애 전환 후 세션 테이블이 비어 있음",
        "الجلسات تنقطع بعد التحويل",
        "Sessions flap 🔥🚨 on 코어-rtr-01",
        "<script>alert(1)</script> [x](javascript:alert(1))",
        "\u202ereversed\u202c text",
    ],
)
def test_any_writing_of_the_world_is_taken_as_it_is(client: Client, typed: dict[str, Any], text: str) -> None:
    answer = client.post(URL, typed | {"synopsis": text, "description": text * 3})
    case = Case.objects.get()
    assert (case.synopsis, case.description) == (text, text * 3)
    page = client.get(answer["Location"])
    assert page.status_code == 200
    assert "<script>alert" not in page.content.decode()
    assert 'href="javascript' not in page.content.decode()


@pytest.mark.clause("C50b")
def test_mostly_korean_text_is_taken_with_a_hint_and_never_refused(
    client: Client, typed: dict[str, Any]
) -> None:
    page = client.post(URL, typed | {"description": "장애 전환 후 세션 테이블이 비어 있습니다."}, follow=True)
    assert Case.objects.exists()
    assert "Our engineers work in English (C50b)" in page.content.decode()


def test_a_long_description_of_almost_200_kb_is_kept_whole(client: Client, typed: dict[str, Any]) -> None:
    long = "a log line\n" * 18_000
    answer = client.post(URL, typed | {"description": long})
    assert Case.objects.get().description == long.strip()
    assert client.get(answer["Location"]).status_code == 200


# By telephone


@pytest.mark.clause("C20")
def test_an_engineer_first_chooses_the_customer_then_enters_the_call(
    sam: User, acme: Organisation, alice: User, sign_in: SignIn, typed: dict[str, Any]
) -> None:
    client = sign_in(sam)
    assert "Acme Telecom" in client.get(URL).content.decode()
    assert "Open a case for Acme Telecom" in client.get(f"{URL}?organisation={acme.slug}").content.decode()
    client.post(f"{URL}?organisation={acme.slug}", typed)
    case = Case.objects.get()
    assert (case.channel, case.organisation, case.contact) == ("phone", acme, alice.acting)


@pytest.mark.parametrize("slug", ["nobody", "support-center", "%00", "a" * 300])
def test_an_unknown_customer_is_not_found(sam: User, world: World, sign_in: SignIn, slug: str) -> None:
    assert sign_in(sam).get(f"{URL}?organisation={slug}").status_code == 404


def test_a_customer_cannot_open_a_case_for_another_by_the_address(
    client: Client, typed: dict[str, Any], rival: Organisation, acme: Organisation
) -> None:
    client.post(f"{URL}?organisation={rival.slug}", typed)
    assert Case.objects.get().organisation == acme


def test_who_may_not_open_cases_is_told_so(aki: User, remy: User, world: World, sign_in: SignIn) -> None:
    assert sign_in(aki).get(URL).status_code == 403
    assert sign_in(remy).get(URL).status_code == 403


def test_an_account_manager_alone_opens_no_case(world: World, acme: Organisation, sign_in: SignIn) -> None:
    manager = factories.person("max@acme.example", "Max", acme, Role.ACCOUNT_MANAGER)
    assert sign_in(manager).get(URL).status_code == 403


def test_a_draft_belongs_to_one_customer(
    sam: User, acme: Organisation, rival: Organisation, world: World, sign_in: SignIn
) -> None:
    client = sign_in(sam)
    for customer in (acme, rival):
        page = client.get(f"{URL}?organisation={customer.slug}").content.decode()
        assert f'data-draft="{customer.slug}:description"' in page
