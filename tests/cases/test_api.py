"""`/api/v1/cases/`."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from cases import actions
from cases.models import Attachment, Case, CaseEvent
from cases.workflow import EventKind
from tests.conftest import SignIn, World
from tests.factories import NOW

pytestmark = pytest.mark.django_db
Open = Callable[..., Case]
URL = "/api/v1/cases/"


@pytest.fixture
def alices(alice: User, sign_in: SignIn) -> Client:
    return sign_in(alice)


@pytest.fixture
def sams(sam: User, sign_in: SignIn) -> Client:
    return sign_in(sam)


def post(client: Client, path: str, body: Any = None, **headers: str) -> Any:
    return client.post(f"{URL}{path}", body, content_type="application/json", headers=headers)


@pytest.fixture
def new(world: World) -> dict[str, Any]:
    return {
        "site": world.site.pk,
        "software": world.software.slug,
        "release": world.release.version,
        "synopsis": "Paths are not computed",
        "description": "Since the failover.",
        "environment": "production",
        "priority": "P2",
        "backup_confirmed": True,
        "customer_reference": "INC-7",
    }


def numbers(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["number"] for row in response.json()["results"]]


@pytest.mark.clause("C27")
def test_a_case_is_opened_and_its_version_is_its_etag(alices: Client, new: dict[str, Any]) -> None:
    response = post(alices, "", new)
    assert response.status_code == 201
    assert response["ETag"] == '"1"'
    case = Case.objects.get()
    body = response.json()
    assert (body["number"], body["channel"], body["priority"]) == (case.number, "api", "P2")
    assert body["decision"]["granted"] is True
    assert body["contact"]["name"] == "Alice Brandt"


@pytest.mark.clause("C25")
def test_a_refusal_says_why_with_the_record_of_the_decision(
    mallory: User, sign_in: SignIn, new: dict[str, Any], world: World
) -> None:
    response = post(sign_in(mallory), "", {**new, "site": world.rival_site.pk})
    assert response.status_code == 403
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert (body["reasons"][0]["code"], body["reasons"][0]["clause"]) == ("ended", "C25")
    assert body["reasons"][0]["remedy"]
    assert body["decision"] > 0
    assert not Case.objects.exists()


WRONG: dict[str, Any] = {
    "site": [None, "x", 0, 10**30, [], {}, True, "\0"],
    "software": [None, "nothing", "\0", [], {}, 5, "\ud800"],
    "release": [None, "0.0", "\0", "v" * 65, []],
    "synopsis": [None, "", " ", "x" * 161, "\0", "\x07", [], {}],
    "description": [None, "", "x" * 200_001, "a\0b", "\x1b[2J"],
    "environment": [None, "moon", []],
    "priority": [None, "P5", 1],
    "backup_confirmed": [None, False, "maybe"],
    "customer_reference": ["x" * 81, "\0"],
    "follow_up": ["pigeon"],
    "watchers": [[0], "x", [10**30], [None]],
    "organisation": ["rival-net", "\0", 3],
}


@pytest.mark.attack("SQL in every parameter")
@pytest.mark.parametrize("field", list(WRONG))
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_written(
    alices: Client, new: dict[str, Any], field: str
) -> None:
    for value in WRONG[field]:
        response = alices.post(URL, json.dumps({**new, field: value}), content_type="application/json")
        assert response.status_code == 400, (value, response.content)
        assert field in response.json()["errors"], value
    assert not Case.objects.exists()


@pytest.mark.parametrize("body", ["", "[]", "null", "3", '"x"', "{", "\0", "[" * 900])
def test_a_body_that_is_no_object_is_refused(alices: Client, body: str) -> None:
    response = alices.post(URL, body, content_type="application/json")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.attack("foreign ids in the body")
def test_foreign_rows_are_refused_like_unknown_ones(
    alices: Client, new: dict[str, Any], world: World, mallory: User
) -> None:
    assert mallory.acting is not None
    for field, foreign, unknown in (
        ("site", world.rival_site.pk, 987_654),
        ("watchers", [mallory.acting.pk], [987_654]),
        ("organisation", "rival-net", "no-such"),
    ):
        answers = [post(alices, "", {**new, field: value}) for value in (foreign, unknown)]
        assert [answer.status_code for answer in answers] == [400, 400]
        # the errors alone: a row's number may be that of the status
        first, second = (json.dumps(answer.json().pop("errors")) for answer in answers)
        said = str(foreign[0] if isinstance(foreign, list) else foreign)
        assert first.replace(said, "?") == second.replace(
            str(unknown if field != "watchers" else 987_654), "?"
        )
        assert {**answers[0].json(), "errors": 0} == {**answers[1].json(), "errors": 0}


@pytest.mark.clause("C20")
def test_an_engineer_enters_a_call(sams: Client, new: dict[str, Any], alice: User) -> None:
    response = post(sams, "", {**new, "organisation": "acme-telecom"})
    assert response.status_code == 201, response.content
    assert (response.json()["channel"], response.json()["contact"]["name"]) == ("phone", "Alice Brandt")


@pytest.mark.clause("C28")
def test_the_list_shows_ones_own_cases_newest_activity_first_by_pages(
    alices: Client, open_case: Open, mallory: User, sign_in: SignIn
) -> None:
    cases = [open_case(now=NOW + timedelta(minutes=n // 2)) for n in range(5)]
    first = alices.get(URL, {"page_size": 2}).json()
    second = alices.get(first["next"]).json()
    third = alices.get(second["next"]).json()
    seen = [row["number"] for page in (first, second, third) for row in page["results"]]
    assert seen == [case.number for case in sorted(cases, key=lambda c: (c.updated_at, c.pk), reverse=True)]
    assert third["next"] is None
    assert numbers(sign_in(mallory).get(URL)) == []


@pytest.mark.clause("C30", "C31")
def test_every_filter_finds_what_it_says(alices: Client, open_case: Open, sam: User) -> None:
    old = open_case(priority="P2", customer_reference="INC-1", description="walrus")
    new = open_case(now=NOW + timedelta(days=1))
    actions.take_case(case=new, by=sam, now=NOW + timedelta(days=1))
    for question, found in (
        ({"number": old.number}, [old]),
        ({"number": old.number.replace("-", "")}, [old]),
        ({"number": "1"}, []),
        ({"reference": "inc-1"}, [old]),
        ({"q": "walrus"}, [old]),
        ({"q": "walrus penguin"}, []),
        ({"state": "new"}, [old]),
        ({"state": ["new", "in_progress"]}, [new, old]),
        ({"state": "open"}, [new, old]),
        ({"state": "closed"}, []),
        ({"priority": "P2"}, [old]),
        ({"software": "pathkeeper"}, [new, old]),
        ({"software": "other"}, []),
        ({"updated_since": (NOW + timedelta(hours=1)).isoformat()}, [new]),
        ({"q": "walrus", "state": "in_progress"}, []),
    ):
        assert numbers(alices.get(URL, question)) == [case.number for case in found], question


@pytest.mark.attack("SQL in every parameter")
@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({"state": "lost"}, "state"),
        ({"priority": "P0"}, "priority"),
        ({"updated_since": "yesterday"}, "updated_since"),
        ({"updated_since": "2026-02-30"}, "updated_since"),
        ({"software": "a b'--"}, "software"),
        ({"q": "a\0b"}, "q"),
        ({"number": "x" * 41}, "number"),
        ({"reference": "\0"}, "reference"),
    ],
)
def test_a_filter_that_makes_no_sense_is_an_error(
    alices: Client, question: dict[str, str], field: str
) -> None:
    response = alices.get(URL, question)
    assert response.status_code == 400
    assert field in response.json()["errors"]


@pytest.mark.parametrize("cursor", ["x", "cD1hYmM=", "cD0yMDI2", "bz05OTk5OTk5OTk5OTk5OTk5OTk5", "cD0AAA=="])
def test_a_cursor_that_somebody_made_up_is_not_found(alices: Client, cursor: str) -> None:
    assert alices.get(URL, {"cursor": cursor}).status_code in (200, 404)


@pytest.mark.attack("another organisation's object by number or id")
def test_a_strangers_case_answers_like_one_that_does_not_exist(
    mallory: User, sign_in: SignIn, open_case: Open
) -> None:
    case, client = open_case(), sign_in(mallory)
    file = "attachments/1/"
    posts = ["reply", "note", "attachments", "assign", "state", "priority", "escalate", "accept", "reject"]
    for path in ["", "events/", file]:
        answers = [client.get(f"{URL}{number}/{path}") for number in (case.number, "2026-1122-9999")]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content
    for path in [*posts, "request-closure", "reopen"]:
        body = {"body": "x", "to": "P1", "reason": "other"}
        answers = [post(client, f"{number}/{path}/", body) for number in (case.number, "2026-1122-9999")]
        assert answers[0].status_code == answers[1].status_code
        assert answers[0].status_code in (400, 404), path
        assert answers[0].content == answers[1].content
    assert CaseEvent.objects.count() == 1


def test_a_case_is_worked_on_from_end_to_end(
    alices: Client, sams: Client, open_case: Open, sam: User, lena: User, sign_in: SignIn
) -> None:
    case = open_case(priority="P3")
    assert sam.acting is not None

    def does(client: Client, path: str, body: Any = None) -> dict[str, Any]:
        response = post(client, f"{case.number}/{path}/", body)
        assert response.status_code == 200, response.content
        assert response["ETag"] == f'"{response.json()["version"]}"'
        answer: dict[str, Any] = response.json()
        return answer

    assert does(sams, "assign", {"to": sam.acting.pk})["owner"]["name"] == "Sam Ruiz"
    assert does(sams, "state", {"to": "in_progress"})["state"] == "in_progress"
    assert does(sams, "reply", {"body": "On it"})["first_responded_at"]
    does(sams, "note", {"body": "Known"})
    assert does(alices, "priority", {"to": "P1", "reason": "worse"})["priority"] == "P1"
    assert does(sams, "priority", {"to": "P2", "reason": "better"})["priority"] == "P2"
    does(alices, "escalate", {"reason": "faster_progress"})
    assert does(sams, "state", {"to": "customer_pending", "reason": "log"})["pending_reason"] == "log"
    assert does(alices, "reply", {"body": "here"})["state"] == "in_progress"
    actions.propose_resolution(case=case, resolution="Fixed", by=sam, now=NOW)
    assert does(alices, "reject", {"reason": "no"})["state"] == "in_progress"
    actions.propose_resolution(case=case, resolution="Fixed", by=sam, now=NOW)
    does(alices, "request-closure")
    assert does(alices, "accept")["state"] == "closed"
    Case.objects.update(closed_at=NOW + timedelta(days=3650))
    assert does(alices, "reopen", {"reason": "back"})["state"] == "in_progress"


def test_the_timeline_hides_notes_and_names_of_management_from_the_customer(
    alices: Client, sams: Client, open_case: Open, on_duty: None, sam: User
) -> None:
    case = open_case(priority="P1")
    actions.add_note(case=case, body="secret", by=sam, now=NOW)
    mine = alices.get(f"{URL}{case.number}/events/").json()["results"]
    assert [event["kind"] for event in mine] == ["opened", "alert"]
    assert mine[1]["detail"] == {"level": 1, "cycle": 1, "priority": "P1"}
    theirs = sams.get(f"{URL}{case.number}/events/").json()["results"]
    assert [event["kind"] for event in theirs] == ["opened", "alert", "note"]
    assert theirs[1]["detail"]["people"] == ["Lena Fischer"]


@pytest.mark.attack("dangerous file names and types")
def test_files_go_in_and_come_out_as_downloads(
    alices: Client, mallory: User, sign_in: SignIn, open_case: Open
) -> None:
    case = open_case()
    file = SimpleUploadedFile("../evil.html", b"<script>1</script>", content_type="text/html")
    response = alices.post(f"{URL}{case.number}/attachments/", {"files": [file], "body": "see"})
    assert response.status_code == 200, response.content
    stored = Attachment.objects.get()
    [entry] = alices.get(f"{URL}{case.number}/events/").json()["results"][1:]
    assert (entry["body"], entry["attachments"][0]["name"]) == ("see", "evil.html")
    path = f"{URL}{case.number}/attachments/{stored.pk}/"
    download = alices.get(path)
    assert b"".join(download.streaming_content) == b"<script>1</script>"  # type: ignore[arg-type]
    assert download["Content-Disposition"].startswith("attachment")
    assert download["Content-Type"] == "application/octet-stream"
    assert sign_in(mallory).get(path).status_code == 404
    other = open_case()
    assert alices.get(f"{URL}{other.number}/attachments/{stored.pk}/").status_code == 404


def test_a_file_that_is_refused_says_why(alices: Client, open_case: Open) -> None:
    response = alices.post(
        f"{URL}{open_case().number}/attachments/", {"files": [SimpleUploadedFile("empty", b"")]}
    )
    assert response.status_code == 400
    assert "files" in response.json()["errors"]
    assert not CaseEvent.objects.filter(kind=EventKind.REPLY).exists()


def test_a_note_on_a_file_of_staff_is_not_the_customers(alices: Client, open_case: Open, sam: User) -> None:
    case = open_case()
    actions.add_note(case=case, body="x", by=sam, now=NOW, uploads=[SimpleUploadedFile("n", b"n")])
    stored = Attachment.objects.get()
    assert alices.get(f"{URL}{case.number}/attachments/{stored.pk}/").status_code == 404


@pytest.mark.attack("two people change the same case at once")
def test_if_match_refuses_a_change_of_what_has_changed(alices: Client, open_case: Open) -> None:
    case = open_case()
    path = f"{case.number}/reply/"
    assert alices.get(f"{URL}{case.number}/")["ETag"] == '"1"'
    assert post(alices, path, {"body": "a"}, if_match='"1"').status_code == 200
    refused = post(alices, path, {"body": "b"}, if_match='"1"')
    assert (refused.status_code, refused["Content-Type"]) == (412, "application/problem+json")
    for header, code in (
        ('W/"2"', 200),
        ("*", 200),
        ('"7", "4"', 200),
        ("nonsense", 412),
        ('"1"', 412),
        ("", 412),
    ):
        assert post(alices, path, {"body": "c"}, if_match=header).status_code == code, header
    assert CaseEvent.objects.filter(kind=EventKind.REPLY).count() == 4


def test_what_the_case_does_not_allow_is_a_conflict(alices: Client, sams: Client, open_case: Open) -> None:
    case = open_case(priority="P2")
    for client, path, body in (
        (alices, "accept", None),
        (alices, "priority", {"to": "P2", "reason": "x"}),
        (sams, "state", {"to": "monitoring"}),
        (alices, "reopen", {"reason": "x"}),
    ):
        response = post(client, f"{case.number}/{path}/", body)
        expected = 403 if path == "priority" else 409
        assert response.status_code == expected, (path, response.content)
        assert response.json()["detail"]


@pytest.mark.attack("read-only role tries every write")
def test_an_auditor_reads_and_writes_nothing(aki: User, sign_in: SignIn, open_case: Open, new: Any) -> None:
    case, client = open_case(), sign_in(aki)
    assert client.get(f"{URL}{case.number}/").status_code == 200
    bodies = {
        "reply": {"body": "x"},
        "note": {"body": "x"},
        "assign": {"to": None},
        "state": {"to": "in_progress"},
        "priority": {"to": "P1", "reason": "x"},
        "escalate": {"reason": "other"},
        "accept": None,
        "reject": {"reason": "x"},
        "request-closure": None,
        "reopen": {"reason": "x"},
    }
    for path, body in bodies.items():
        assert post(client, f"{case.number}/{path}/", body).status_code == 403, path
    assert post(client, "", {**new, "organisation": "acme-telecom"}).status_code == 403
    assert CaseEvent.objects.count() == 1


def test_a_reason_that_is_missing_is_an_error_of_its_field(
    alices: Client, sams: Client, open_case: Open
) -> None:
    case = open_case()
    for client, path, body, field in (
        (sams, "state", {"to": "customer_pending"}, "reason"),
        (alices, "reply", {"body": " "}, "body"),
        (alices, "priority", {"to": "P1"}, "reason"),
        (alices, "escalate", {"reason": "money"}, "reason"),
        (sams, "assign", {}, "to"),
        (alices, "attachments", {}, "files"),
    ):
        response = post(client, f"{case.number}/{path}/", body)
        assert response.status_code == 400, path
        assert field in response.json()["errors"], path


def test_lists_and_cases_ask_a_bounded_number_of_questions(alices: Client, open_case: Open) -> None:
    for _case in range(3):
        open_case()
    case = open_case()
    for path, most in (("", 1), (f"{case.number}/", 1), (f"{case.number}/events/", 4), ("?q=walrus", 4)):
        with CaptureQueriesContext(connection) as asked:
            assert alices.get(f"{URL}{path}").status_code == 200
        ours = [query["sql"] for query in asked if "cases_" in query["sql"]]
        assert len(ours) <= most, ours
