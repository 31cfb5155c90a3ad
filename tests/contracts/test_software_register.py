"""Registering and changing software, and its known defects."""

from typing import Any

import pytest

from accounts.models import AuditEntry, Organisation, User
from contracts import actions, errors
from contracts.kinds import SoftwareKind
from contracts.models import Defect, GoverningDocument, Software
from tests import factories
from tests.conftest import SignIn, World
from tests.factories import LONG_AGO, NOW


def _values(acme: Organisation, **changes: Any) -> dict[str, Any]:
    return {
        "name": "EdgeProv",
        "slug": "edgeprov",
        "sow_reference": "SOW-2026-4",
        "deliverable": "Provisioning of edge routers",
        "kind": "supported",
        "end_users": [acme.pk],
        "description": "Typed with care.",
        **changes,
    }


@pytest.mark.clause("C2", "C5", "C18", "C73")
def test_professional_services_register_software_with_its_order_licence_and_end_users(
    acme: Organisation, paula: User, alice: User, sign_in: SignIn
) -> None:
    licence = GoverningDocument.objects.create(
        kind="licence", title="Script licence", version="3", in_force_from=LONG_AGO.date()
    )
    answer = sign_in(paula).post(
        "/software/new/", _values(acme, kind="consulting", licence=licence.pk), follow=True
    )
    software = Software.objects.get()
    assert (software.kind, software.licence) == (SoftwareKind.CONSULTING, licence)
    assert list(software.end_users.all()) == [acme]
    assert "no case, patch or update is owed for it" in answer.content.decode()
    assert sign_in(alice).get("/software/edgeprov/").status_code == 200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\x1b"}, "name"),
        ({"slug": "Edge Prov"}, "slug"),
        ({"slug": "new"}, "slug"),
        ({"slug": "pathkeeper"}, "slug"),
        ({"sow_reference": ""}, "sow_reference"),
        ({"deliverable": " "}, "deliverable"),
        ({"kind": "potion"}, "kind"),
        ({"end_users": []}, "end_users"),
        ({"end_users": ["999999"]}, "end_users"),
        ({"licence": "999999"}, "licence"),
    ],
)
def test_bad_input_is_told_beside_its_cause(
    changes: dict[str, Any], field: str, world: World, acme: Organisation, paula: User, sign_in: SignIn
) -> None:
    answer = sign_in(paula).post("/software/new/", _values(acme, **changes))
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])
    assert "Typed with care." in answer.content.decode()
    assert Software.objects.count() == 1


@pytest.mark.attack("foreign ids in the body")
def test_software_is_made_for_end_users_and_under_licences_only(
    acme: Organisation, meridian: Organisation, paula: User, sign_in: SignIn
) -> None:
    agreement = GoverningDocument.objects.create(
        kind="eusa", title="Agreement", version="test", in_force_from=LONG_AGO.date()
    )
    values = _values(acme, end_users=[meridian.pk], licence=agreement.pk)
    answer = sign_in(paula).post("/software/new/", values)
    assert sorted(answer.context["form"].errors) == ["end_users", "licence"]


@pytest.mark.clause("C73")
def test_a_change_of_kind_says_why_and_is_audited(
    world: World, acme: Organisation, rival: Organisation, paula: User, sign_in: SignIn
) -> None:
    client = sign_in(paula)
    values = _values(acme, kind="consulting", end_users=[acme.pk, rival.pk])
    answer = client.post("/software/pathkeeper/edit/", values)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["reason"])
    client.post("/software/pathkeeper/edit/", {**values, "reason": "Made within consulting."})
    entry = AuditEntry.objects.get(action="software.kind_changed")
    assert entry.detail == {"from": "supported", "to": "consulting", "reason": "Made within consulting."}
    world.software.refresh_from_db()
    assert (world.software.kind, world.software.slug) == ("consulting", "pathkeeper")


def test_end_users_are_added_and_never_taken_away(
    world: World, acme: Organisation, rival: Organisation, hanbit: Organisation, paula: User, sign_in: SignIn
) -> None:
    client = sign_in(paula)
    answer = client.post("/software/pathkeeper/edit/", _values(acme, end_users=[acme.pk]))
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["end_users"])
    client.post("/software/pathkeeper/edit/", _values(acme, end_users=[acme.pk, rival.pk, hanbit.pk]))
    assert world.software.end_users.count() == 3


def test_only_professional_services_change_software(world: World, sam: User, ada: User) -> None:
    for by in (sam, ada):
        with pytest.raises(errors.NotAllowed):
            actions.change_software(
                software=world.software, name="x", sow_reference="x", deliverable="x", description="",
                kind=SoftwareKind.SUPPORTED, licence=None, end_users=[], reason="", by=by, now=NOW,
            )  # fmt: skip


# Defects


@pytest.mark.clause("C21", "C36")
def test_a_defect_is_recorded_with_a_workaround_that_end_users_read(
    world: World, sam: User, alice: User, sign_in: SignIn
) -> None:
    client = sign_in(sam)
    values = {"number": "PR1900001", "title": "Paths <b>lost</b>", "workaround": "Restart."}
    assert client.post("/software/pathkeeper/defects/", values).status_code == 302
    defect = Defect.objects.get()
    release = factories.ReleaseFactory.make(
        line=world.line, version="21.4R3-S5.1", kind="patch", fixes=defect, published_by=sam.acting
    )
    factories.ReleaseFactory.make(
        line=world.line, version="21.4R3-S5.2", kind="patch", fixes=defect, state="draft",
        published_at=None, published_by=None,
    )  # fmt: skip
    text = sign_in(alice).get("/software/pathkeeper/defects/").content.decode()
    assert "Paths &lt;b&gt;lost&lt;/b&gt;" in text
    assert "Restart." in text
    assert release.version in text
    assert "21.4R3-S5.2" not in text, "a draft is nobody's business yet"
    answer = client.post(f"/software/pathkeeper/defects/{defect.pk}/", {"title": "Lost", "workaround": ""})
    assert answer.status_code == 302
    defect.refresh_from_db()
    assert (defect.number, defect.title, defect.workaround) == ("PR1900001", "Lost", "")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"number": ""}, "number"),
        ({"number": "D-1"}, "number"),
        ({"title": ""}, "title"),
        ({"number": "x" * 21}, "number"),
    ],
)
def test_a_defect_needs_a_number_of_its_own_and_a_title(
    changes: dict[str, str], field: str, world: World, sam: User, sign_in: SignIn
) -> None:
    factories.DefectFactory.make(number="D-1")
    values = {"number": "D-2", "title": "Lost", "workaround": "Typed with care.", **changes}
    answer = sign_in(sam).post("/software/pathkeeper/defects/", values)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])
    assert "Typed with care." in answer.content.decode()
    assert Defect.objects.count() == 1


def test_a_defect_of_another_software_has_no_page_here(world: World, sam: User, sign_in: SignIn) -> None:
    other = factories.DefectFactory.make()
    assert sign_in(sam).get(f"/software/pathkeeper/defects/{other.pk}/").status_code == 404
