"""Files that went ahead of a reply: one's own, once, and given back when the reply fails."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from cases.models import Attachment, Case
from files.models import StoredFile, Upload
from tests.conftest import SignIn
from tests.files.conftest import Tus


@pytest.fixture
def case(open_case: Any) -> Case:
    found: Case = open_case()
    return found


def reply(client: Client, case: Case, body: str, *ids: str) -> Any:
    return client.post(
        f"/cases/{case.number}/reply/", {"body": body, "kind": "reply", "files_ids": list(ids)}
    )


def test_an_upload_hangs_on_the_reply_and_is_fetched_by_range(
    case: Case, alice: User, sign_in: SignIn
) -> None:
    client = sign_in(alice)
    number = Tus(client).whole(b"0123456789", "core.tgz")["Upload-File"]
    assert reply(client, case, "See", f"{number}:core.tgz").status_code == 302
    attachment = Attachment.objects.get(case=case)
    assert (str(attachment.stored_id), attachment.stored.name) == (number, "core.tgz")
    part = client.get(f"/cases/{case.number}/files/{number}/", headers={"Range": "bytes=3-5"})
    assert (part.status_code, b"".join(part)) == (206, b"345")


def test_a_reply_that_is_refused_keeps_the_upload_and_the_words(
    case: Case, alice: User, sign_in: SignIn
) -> None:
    client = sign_in(alice)
    number = Tus(client).whole(b"x", "core.tgz")["Upload-File"]
    answer = reply(client, case, "\x07", f"{number}:core.tgz")
    assert answer.status_code == 400
    assert f"{number}:core.tgz" in answer.content.decode()
    assert Upload.objects.count() == 1
    assert reply(client, case, "Better", f"{number}:core.tgz").status_code == 302


@pytest.mark.attack("another customer's upload session", "foreign ids in the body")
def test_somebody_elses_upload_is_refused_and_nothing_is_written(
    case: Case, alice: User, mallory: User, sign_in: SignIn
) -> None:
    number = Tus(sign_in(mallory)).whole(b"secret", "theirs.tgz")["Upload-File"]
    answer = reply(sign_in(alice), case, "Give me that", number)
    assert answer.status_code == 400
    assert "not there any more" in answer.content.decode()
    assert not Attachment.objects.exists()
    assert StoredFile.objects.get().name == "theirs.tgz"


def test_an_upload_hangs_on_one_reply_only(case: Case, alice: User, sign_in: SignIn) -> None:
    client = sign_in(alice)
    number = Tus(client).whole(b"x")["Upload-File"]
    assert reply(client, case, "One", number).status_code == 302
    assert reply(client, case, "Two", number).status_code == 400
    assert Attachment.objects.count() == 1
