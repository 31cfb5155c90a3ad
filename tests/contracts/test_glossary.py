"""The glossary (C7) and the agreements' own pages (C4-C6)."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from contracts.models import GlossaryTerm, GoverningDocument
from tests.conftest import SignIn

# what the service description writes with a capital or abbreviates
WORDS = {
    "CSC", "Custom Software", "End User", "EUSA", "Group E", "JTAC", "Patch", "SDD", "Service Contract", "SOW",
    "Update", "Upgrade",
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.clause("C7")
def test_the_portal_ships_with_the_words_of_the_service_description() -> None:
    assert set(GlossaryTerm.objects.values_list("term", flat=True)) >= WORDS
    assert not GlossaryTerm.objects.filter(meaning="").exists()


@pytest.mark.django_db
@pytest.mark.clause("C6", "C7")
@pytest.mark.parametrize("who", ["anna", "remy", "sam", "root"])
def test_everybody_reads_the_glossary_and_that_the_agreement_wins(
    who: str, request: pytest.FixtureRequest, sign_in: SignIn
) -> None:
    text = sign_in(request.getfixturevalue(who)).get("/help/glossary/").content.decode()
    assert "Statement of Work" in text
    assert "the agreement wins (C6, C7)" in text
    assert 'id="service-contract"' in text


def test_help_leads_to_the_glossary(anna: User, sign_in: SignIn) -> None:
    assert 'href="/help/glossary/"' in sign_in(anna).get("/help/").content.decode()


@pytest.mark.clause("C4", "C5")
def test_an_agreement_is_read_as_text_and_nothing_in_it_runs(ada: User, anna: User, sign_in: SignIn) -> None:
    form = {
        "kind": "licence", "title": "Script Software License Agreement", "version": "2.0",
        "in_force_from": "2026-01-01", "text": "## Grant\n\n<script>alert(1)</script>\n\n- use\n- copy",
    }  # fmt: skip
    response = sign_in(ada).post("/agreements/new/", form)
    document = GoverningDocument.objects.get()
    assert response["Location"] == f"/agreements/{document.pk}/"
    reader = sign_in(anna)
    text = reader.get(f"/agreements/{document.pk}/").content.decode()
    assert "<li>use</li>" in text
    assert "<script>alert" not in text
    assert f"/agreements/{document.pk}/" in reader.get("/agreements/").content.decode()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": "1.0"}, "This version exists."),
        ({"text": ""}, "This field is required."),
        ({"in_force_from": "yesterday"}, "Enter a valid date"),
        ({"in_force_from": "9999-01-01"}, "Give a year between"),
        ({"kind": "handshake"}, "Select a valid choice"),
    ],
)
def test_a_bad_agreement_is_refused_beside_its_field(
    changes: dict[str, str], words: str, ada: User, sign_in: SignIn
) -> None:
    GoverningDocument.objects.create(kind="eusa", title="EUSA", version="1.0", in_force_from=date(2024, 1, 1))
    form = {"kind": "eusa", "title": "EUSA", "version": "2.0", "in_force_from": "2027-01-01", "text": "Terms"}
    response = sign_in(ada).post("/agreements/new/", form | changes)
    assert response.status_code == 422
    assert words in response.content.decode()
    assert GoverningDocument.objects.count() == 1


@pytest.mark.attack("another organisation's object by number or id")
def test_somebody_elses_master_agreement_does_not_exist(mallory: User, sam: User, sign_in: SignIn) -> None:
    msa = GoverningDocument.objects.create(
        kind="msa", title="Acme master agreement", version="1", in_force_from=date(2024, 1, 1)
    )
    assert sign_in(sam).get(f"/agreements/{msa.pk}/").status_code == 200
    stranger = sign_in(mallory)
    assert stranger.get(f"/agreements/{msa.pk}/").status_code == 404
    assert "Acme master" not in stranger.get("/agreements/").content.decode()


@pytest.mark.django_db
def test_a_word_stands_there_once() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        GlossaryTerm.objects.create(term="EUSA", meaning="Again")
