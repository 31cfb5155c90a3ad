"""The pages of software and releases, as people use them."""

from typing import Any

import pytest

from accounts.models import User
from contracts.kinds import ReleaseKind, ReleaseState
from contracts.models import Acceptance, Defect, Release
from tests import factories
from tests.conftest import SignIn, World

NEW = "/software/pathkeeper/new-release/"


@pytest.fixture
def draft(world: World, paula: User) -> Release:
    defect = factories.DefectFactory.make(software=world.software, number="PR1790001")
    release = factories.ReleaseFactory.make(
        line=world.line,
        version="21.4R3-S5.1",
        kind=ReleaseKind.PATCH,
        state=ReleaseState.DRAFT,
        fixes=defect,
        notes="# Fixed\n\nThe **crash** <script>alert(1)</script> ![x](http://evil.example/x.png)",
        published_at=None,
        published_by=None,
    )
    release.applies_to.add(world.release)
    return release


def _values(world: World, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "version": "21.4R3-S5.2",
        "kind": "patch",
        "line": "21.4R3",
        "applies_to": [world.release.pk],
        "defect_number": "PR1800000",
        "defect_title": "Paths are lost on restart",
        "notes": "Typed with care",
    }
    return {**values, **changes}


def test_each_kind_of_person_sees_the_software_that_concerns_it(
    request: pytest.FixtureRequest, world: World, sign_in: SignIn
) -> None:
    for who, sees in (("alice", True), ("mallory", True), ("sam", True), ("minsu", False), ("remy", False)):
        client = sign_in(request.getfixturevalue(who))
        assert ("PathKeeper" in client.get("/software/").content.decode()) is sees, who
        expected = 200 if sees else 404
        for path in ("/software/pathkeeper/", "/software/pathkeeper/21.4R3-S5/"):
            assert client.get(path).status_code == expected, (who, path)
        assert client.get("/software/pathkeeper/9.9/").status_code == 404


def test_a_draft_exists_for_staff_only(
    world: World, draft: Release, alice: User, sam: User, sign_in: SignIn
) -> None:
    path = f"/software/pathkeeper/{draft.version}/"
    stranger = sign_in(alice)
    assert stranger.get(path).status_code == 404
    assert stranger.post(f"{path}accept/").status_code == 404
    assert draft.version not in stranger.get("/software/pathkeeper/").content.decode()
    assert draft.version in sign_in(sam).get("/software/pathkeeper/").content.decode()


@pytest.mark.clause("C23", "C35")
def test_professional_services_publish_and_see_who_was_told(
    world: World, draft: Release, alice: User, anna: User, mallory: User, paula: User, sign_in: SignIn
) -> None:
    client, path = sign_in(paula), f"/software/pathkeeper/{draft.version}/"
    assert "Publish this release" in client.get(path).content.decode()
    assert client.post(f"{path}publish/").status_code == 302
    shown = client.get(path)
    receipts = [message.recipient.user.name for message in shown.context["receipts"].rows]
    assert sorted(receipts) == ["Alice Brandt", "Anna Okafor"]
    assert shown.context["counts"].told == 2
    assert (shown.context["counts"].sent, shown.context["counts"].opened) == (0, 0)
    assert "Mallory" not in shown.content.decode().split('id="receipts"')[1]
    for_alice = sign_in(alice).get(path).content.decode()
    assert "Who was told" not in for_alice
    assert "Anna" not in for_alice


def test_what_cannot_be_published_says_why(
    world: World, draft: Release, paula: User, sign_in: SignIn
) -> None:
    Release.objects.filter(pk=draft.pk).update(kind=ReleaseKind.UPDATE)
    client, path = sign_in(paula), f"/software/pathkeeper/{draft.version}/"
    refused = client.post(f"{path}publish/")
    assert (refused.status_code, list(refused.context["publish_form"].errors)) == (
        422,
        ["has_no_new_features"],
    )
    assert client.post(f"{path}publish/", {"has_no_new_features": "on"}).status_code == 302
    assert client.post(f"{path}publish/").status_code == 422


def test_notes_are_markdown_without_any_html_of_their_own(
    world: World, draft: Release, paula: User, sign_in: SignIn
) -> None:
    page = sign_in(paula).get(f"/software/pathkeeper/{draft.version}/").content.decode()
    assert "<strong>crash</strong>" in page
    assert "<h3>Fixed</h3>" in page
    assert "<script>alert" not in page
    assert "<img" not in page
    assert 'rel="noopener noreferrer nofollow"' in page


@pytest.mark.clause("C34", "C42")
def test_a_technical_contact_accepts_a_release(
    world: World, draft: Release, alice: User, anna: User, paula: User, sign_in: SignIn
) -> None:
    path = f"/software/pathkeeper/{draft.version}/"
    sign_in(paula).post(f"{path}publish/")
    assert "Accept this release" not in sign_in(anna).get(path).content.decode()
    assert sign_in(anna).post(f"{path}accept/").status_code == 403
    client = sign_in(alice)
    assert "Accept this release" in client.get(path).content.decode()
    assert client.post(f"{path}accept/").status_code == 302
    assert "Accepted, current" in client.get(path).content.decode()
    acceptance = Acceptance.objects.current().get(organisation=world.contract.end_user)
    assert acceptance.release == draft
    again = client.post(f"{path}accept/", follow=True).content.decode()
    assert "has accepted this release" in again


@pytest.mark.parametrize("who", ["alice", "ada", "aki", "mallory"])
def test_others_neither_draft_nor_publish(
    who: str, request: pytest.FixtureRequest, world: World, sign_in: SignIn
) -> None:
    client = sign_in(request.getfixturevalue(who))
    assert client.get(NEW).status_code == 403
    assert client.post(NEW, _values(world)).status_code == 403
    assert client.post("/software/pathkeeper/21.4R3-S5/publish/").status_code == 403


def test_an_engineer_drafts_a_patch_with_its_defect(world: World, sam: User, sign_in: SignIn) -> None:
    client = sign_in(sam)
    answer = client.post(NEW, _values(world), follow=True)
    release = Release.objects.get(version="21.4R3-S5.2")
    assert answer.redirect_chain == [("/software/pathkeeper/21.4R3-S5.2/", 302)]
    assert (release.state, release.fixes) == (ReleaseState.DRAFT, Defect.objects.get(number="PR1800000"))
    assert list(release.applies_to.all()) == [world.release]
    assert client.post("/software/pathkeeper/21.4R3-S5.2/publish/").status_code == 403


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"version": ""}, "version"),
        ({"version": "..."}, "version"),
        ({"version": "1\x00"}, "version"),
        ({"version": "1\x1b"}, "version"),
        ({"version": "1/2"}, "version"),
        ({"version": "new-release"}, "version"),
        ({"version": "x" * 65}, "version"),
        ({"version": "21.4R3-S5"}, "version"),
        ({"kind": "potion"}, "kind"),
        ({"line": ""}, "line"),
        ({"line": "l" * 41}, "line"),
        ({"applies_to": ["999999"]}, "applies_to"),
        ({"applies_to": ["9" * 40]}, "applies_to"),
        ({"applies_to": ["x"]}, "applies_to"),
        ({"defect_number": "PR1900000", "defect_title": ""}, "defect_title"),
        ({"defect_number": "P" * 21}, "defect_number"),
        ({"notes": "x" * 20001}, "notes"),
        ({"notes": "a\x00"}, "notes"),
    ],
)
def test_bad_input_is_told_beside_its_cause_and_nothing_is_written(
    changes: dict[str, Any], field: str, world: World, paula: User, sign_in: SignIn
) -> None:
    answer = sign_in(paula).post(NEW, _values(world, **changes))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    if "notes" not in changes:
        assert "Typed with care" in answer.content.decode()
    assert (Release.objects.count(), Defect.objects.count()) == (1, 0)


def test_a_release_of_another_product_is_not_taken(world: World, paula: User, sign_in: SignIn) -> None:
    other = factories.ReleaseFactory.make(version="9.9", published_by=paula.acting)
    answer = sign_in(paula).post(NEW, _values(world, applies_to=[other.pk]))
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["applies_to"])


@pytest.mark.parametrize("version", ["릴리스 1.0", "1.0 🛰", "1.0%2F2", "1.0?x=1#y"])
def test_any_version_has_a_page(version: str, world: World, paula: User, sign_in: SignIn) -> None:
    answer = sign_in(paula).post(NEW, _values(world, version=version), follow=True)
    assert answer.status_code == 200
    assert answer.context["release"].version == version


@pytest.mark.parametrize("path", ["/software/", "/software/pathkeeper/", "/software/pathkeeper/21.4R3-S5/"])
def test_the_pages_cost_few_queries(
    path: str, world: World, alice: User, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    client = sign_in(alice)
    client.get(path)
    with django_assert_max_num_queries(12):
        client.get(path)
