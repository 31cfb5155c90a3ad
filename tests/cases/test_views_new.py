"""Opening a case: the page in four parts, the coverage answer, and everything that can be typed wrongly."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from cases.models import Attachment, Case, Cycle
from entitlements.models import DecisionRecord
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
    return not (Case.objects.exists() or DecisionRecord.objects.exists() or Message.objects.exists())


def test_the_page_shows_four_parts_and_asks_for_the_backup(client: Client, world: World) -> None:
    page = client.get(URL).content.decode()
    for part in ("What runs where", "What is wrong", "How bad", "Whom to keep informed"):
        assert part in page
    assert "C54" in page
    assert "C55" in page


@pytest.mark.clause("C27")
def test_a_contact_opens_a_p1_with_reference_and_log_file(
    client: Client, typed: dict[str, Any], lena: User
) -> None:
    log = SimpleUploadedFile("var-log.txt", b"exporter[2211]: E_SPOOL_FULL\n")
    answer = client.post(URL, typed | {"files": log})
    case = Case.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == f"/cases/{case.number}/"
    assert (case.customer_reference, case.priority, case.channel) == ("INC0042117", "P1", "web")
    assert case.decision.is_granted
    assert Cycle.objects.filter(case=case).exists()
    assert Attachment.objects.get(case=case).stored.name == "var-log.txt"
