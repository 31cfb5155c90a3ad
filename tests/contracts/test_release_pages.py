"""Drafting with a manifest, bytes and components; changing, withdrawing, accepting a release; the API."""

import hashlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import AuditEntry, User
from contracts import actions, errors
from contracts.kinds import ReleaseKind, ReleaseState
from contracts.models import Acceptance, Release, ReleaseFile
from files.models import StoredFile
from tests.conftest import SignIn, World
from tests.factories import NOW

NEW = "/software/pathkeeper/new-release/"
DRAFT = "/software/pathkeeper/21.4R3-S5.2/"
A, B = "a" * 64, "b" * 64
BYTES = b"#!/bin/sh\necho pathkeeper\n"
SUM = hashlib.sha256(BYTES).hexdigest()


def _values(world: World, **changes: Any) -> dict[str, Any]:
    return {
        "version": "21.4R3-S5.2",
        "kind": "patch",
        "line": "21.4R3",
        "applies_to": [world.release.pk],
        "defect_number": "PR1800000",
        "defect_title": "Paths are lost",
        "notes": "Typed with care.",
        **changes,
    }


def _file(name: str = "pathkeeper", content: bytes = BYTES) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def _lines(release: Release) -> list[tuple[str, int, str, bool, bool]]:
    rows = release.files.order_by("path")
    return [(f.path, f.size, f.sha256, f.is_fixed, f.stored_id is not None) for f in rows]


@pytest.mark.clause("C42", "C70", "C37")
def test_a_draft_takes_manifest_bytes_components_and_base_component(
    world: World, paula: User, sign_in: SignIn
) -> None:
    values = _values(
        world,
        component="libpath",
        manifest=f"{SUM}  bin/pathkeeper\r\n{B}  etc/site.conf | 12 | site-edited\r\n",
        components="OpenSSL, 3.0.15, Apache-2.0\nzlib, 1.3, Zlib, with exceptions",
        uploads=[_file(), _file("README.txt", b"Read me")],
    )
    answer = sign_in(paula).post(NEW, values, follow=True)
    assert answer.status_code == 200
    release = Release.objects.get(version="21.4R3-S5.2")
    readme = hashlib.sha256(b"Read me").hexdigest()
    assert _lines(release) == [
        ("README.txt", 7, readme, True, True),
        ("bin/pathkeeper", len(BYTES), SUM, True, True),
        ("etc/site.conf", 12, B, False, False),
    ]
    components = release.components.order_by("name").values_list("name", "version", "licence")
    assert list(components) == [("OpenSSL", "3.0.15", "Apache-2.0"), ("zlib", "1.3", "Zlib, with exceptions")]
    assert release.component == "libpath"
    text = answer.content.decode()
    assert "bin/pathkeeper" in text
    assert "Edited at the site" in text


@pytest.mark.attack("dangerous file names and types")
@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (f"{A}  ../../etc/passwd | 1", "Line 1"),
        (f"{B}  good | 1\n{A}  /etc/passwd | 1", "Line 2"),
        (f"{A}  a\\b | 1", "forward slashes"),
        (f"{A}  a//b | 1", "two slashes"),
        (f"{A}  x | 1\n{B}  x | 1", "names it twice"),
        (f"{A}  Bin/X | 1\n{B}  bin/x | 1", "two spellings"),
        (f"{A}  e\u0301 | 1\n{B}  é | 1", "two spellings"),
        (f"{A}  x", "size"),
        (f"{A}  x | many", "site-edited"),
        (f"{A}  x | 99999999999999999999", "site-edited"),
        (f"{'a' * 63}  x | 1", "64 hex digits"),
        ("bin/x", "64 hex digits"),
        (f"{A}  x\x1by | 1", "control character"),
        (f"{A}  {'x' * 301} | 1", "300 characters"),
    ],
)
def test_a_manifest_that_cannot_stand_is_refused_by_line_and_keeps_what_was_typed(
    manifest: str, words: str, world: World, paula: User, sign_in: SignIn
) -> None:
    answer = sign_in(paula).post(NEW, _values(world, manifest=manifest))
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["manifest"])
    assert words in str(answer.context["form"].errors["manifest"])
    assert "Typed with care." in answer.content.decode()
    assert not Release.objects.filter(version="21.4R3-S5.2").exists()


def test_a_long_list_of_wrong_lines_is_cut_short(world: World, paula: User, sign_in: SignIn) -> None:
    answer = sign_in(paula).post(NEW, _values(world, manifest="nonsense\n" * 40))
    assert len(answer.context["form"].errors["manifest"]) == 11


@pytest.mark.parametrize(
    ("manifest", "uploads"),
    [
        (f"{A}  bin/pathkeeper | 26", [("pathkeeper", BYTES)]),
        (f"{SUM}  bin/pathkeeper | 27", [("pathkeeper", BYTES)]),
        (f"{A}  a/x | 1\n{B}  b/x | 1", [("x", BYTES)]),
    ],
)
def test_a_file_whose_hash_or_size_is_not_the_manifests_is_refused_by_name(
    manifest: str, uploads: list[tuple[str, bytes]], world: World, paula: User, sign_in: SignIn
) -> None:
    values = _values(world, manifest=manifest, uploads=[_file(*one) for one in uploads])
    answer = sign_in(paula).post(NEW, values)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["uploads"])
    assert manifest.split()[1] in str(answer.context["form"].errors["uploads"])
    assert not Release.objects.filter(version="21.4R3-S5.2").exists()
    assert not StoredFile.objects.exists()


def test_of_two_files_of_one_name_the_sum_decides(world: World, paula: User, sign_in: SignIn) -> None:
    manifest = f"{A}  a/pathkeeper | 1\n{SUM}  b/pathkeeper"
    sign_in(paula).post(NEW, _values(world, manifest=manifest, uploads=[_file()]))
    release = Release.objects.get(version="21.4R3-S5.2")
    assert list(release.files.exclude(stored=None).values_list("path", flat=True)) == ["b/pathkeeper"]


@pytest.mark.parametrize(
    ("components", "words"),
    [
        ("OpenSSL", "Line 1"),
        ("a, 1, MIT\nOpenSSL, 3.0.15,", "Line 2"),
        ("a, 1, MIT\na, 1, BSD", "listed twice"),
        (f"{'a' * 121}, 1, MIT", "120 characters"),
    ],
)
def test_a_component_has_name_version_and_licence(
    components: str, words: str, world: World, paula: User, sign_in: SignIn
) -> None:
    answer = sign_in(paula).post(NEW, _values(world, components=components))
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["components"])
    assert words in str(answer.context["form"].errors["components"])


@pytest.mark.clause("C67")
def test_notes_in_korean_say_why(world: World, paula: User, sign_in: SignIn) -> None:
    client = sign_in(paula)
    answer = client.post(NEW, _values(world, language="ko"))
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["language_reason"])
    client.post(NEW, _values(world, language="ko", language_reason="Agreed with the end user."))
    release = Release.objects.get(version="21.4R3-S5.2")
    assert (release.language, release.language_reason) == ("ko", "Agreed with the end user.")
    assert "Agreed with the end user." in client.get(DRAFT).content.decode()


# Changing


@pytest.fixture
def draft(world: World, paula: User, sign_in: SignIn) -> Release:
    values = _values(
        world, manifest=f"{SUM}  bin/pathkeeper", uploads=[_file()], components="zlib, 1.3, Zlib"
    )
    sign_in(paula).post(NEW, values)
    return Release.objects.get(version="21.4R3-S5.2")


def test_a_draft_is_changed_and_keeps_the_bytes_whose_line_has_not(
    draft: Release, world: World, sam: User, sign_in: SignIn
) -> None:
    client = sign_in(sam)
    shown = client.get(f"{DRAFT}edit/").context["form"].initial
    assert shown["manifest"] == f"{SUM}  bin/pathkeeper | {len(BYTES)}"
    values = {key: value for key, value in shown.items() if value is not None}
    values |= {
        "version": "21.4R3-S5.3",
        "manifest": f"{SUM}  bin/pathkeeper\n{A}  lib/x | 5",
        "notes": "New.",
    }
    answer = client.post(f"{DRAFT}edit/", values)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/software/pathkeeper/21.4R3-S5.3/")
    draft.refresh_from_db()
    assert (draft.version, draft.notes) == ("21.4R3-S5.3", "New.")
    assert _lines(draft) == [
        ("bin/pathkeeper", len(BYTES), SUM, True, True),
        ("lib/x", 5, A, True, False),
    ]
    assert list(draft.applies_to.all()) == [world.release]
    assert draft.components.count() == 1


def test_what_is_published_is_never_changed(
    draft: Release, world: World, paula: User, sign_in: SignIn
) -> None:
    actions.publish_release(release=draft, by=paula, now=NOW)
    client = sign_in(paula)
    answer = client.post(f"{DRAFT}edit/", _values(world, notes="Other"), follow=True)
    assert "not a draft any more" in answer.content.decode()
    with pytest.raises(errors.WrongState):
        actions.change_draft(
            release=draft, version="1", kind=ReleaseKind.PATCH, line="x", applies_to=[], fixes=None, notes="",
            by=paula, now=NOW,
        )  # fmt: skip
    draft.refresh_from_db()
    assert draft.notes == "Typed with care."


def test_a_release_is_not_made_for_itself_and_an_update_contains_patches_only(
    draft: Release, world: World, paula: User
) -> None:
    values: dict[str, Any] = {
        "version": "21.4R3-S6", "kind": ReleaseKind.UPDATE, "line": draft.line, "fixes": None, "notes": "",
        "by": paula, "now": NOW,
    }  # fmt: skip
    with pytest.raises(errors.AppliesToAnother):
        actions.change_draft(release=draft, applies_to=[draft], **values)
    with pytest.raises(errors.ContainsOther):
        actions.draft_release(software=world.software, applies_to=[], contains=[world.release], **values)


@pytest.mark.clause("C36", "C38", "C39", "C40")
def test_a_draft_says_what_stands_in_the_way_of_publishing(
    draft: Release, world: World, paula: User, sign_in: SignIn
) -> None:
    draft.applies_to.clear()
    Release.objects.filter(pk=draft.pk).update(fixes=None)
    client = sign_in(paula)
    text = client.get(DRAFT).content.decode()
    assert "A patch names the defect that it fixes (C36)." in text
    assert "Say which releases it is made for (C34)." in text
    assert client.post(f"{DRAFT}publish/").status_code == 422
    Release.objects.filter(pk=draft.pk).update(kind=ReleaseKind.UPGRADE)
    assert "not part of the service (C39, C40)" in client.get(DRAFT).content.decode()
    draft.refresh_from_db()
    assert draft.state == ReleaseState.DRAFT


# Withdrawing


def test_a_release_is_withdrawn_with_a_reason_that_everyone_reads(
    world: World, paula: User, alice: User, sign_in: SignIn
) -> None:
    path = "/software/pathkeeper/21.4R3-S5/"
    client = sign_in(paula)
    assert client.post(f"{path}withdraw/", {"reason": " "}).status_code == 422
    assert client.post(f"{path}withdraw/", {"reason": "Leaks <b>memory</b>."}).status_code == 302
    world.release.refresh_from_db()
    assert (world.release.withdrawn_by, world.release.state) == (paula.acting, ReleaseState.WITHDRAWN)
    text = sign_in(alice).get(path).content.decode()
    assert "Leaks &lt;b&gt;memory&lt;/b&gt;." in text
    assert client.post(f"{path}withdraw/", {"reason": "Twice."}).status_code == 422


# Accepting, and the manifest to take away


@pytest.mark.clause("C34", "C42")
def test_accepting_confirms_the_digest_that_is_shown(
    draft: Release, paula: User, alice: User, sign_in: SignIn
) -> None:
    actions.publish_release(release=draft, by=paula, now=NOW)
    client: Client = sign_in(alice)
    page = client.get(DRAFT)
    digest = page.context["digest"]
    assert digest in page.content.decode()
    client.post(f"{DRAFT}accept/", {"manifest_sha256": "0" * 64})
    assert not Acceptance.objects.filter(release=draft).exists()
    client.post(f"{DRAFT}accept/", {"manifest_sha256": digest})
    assert Acceptance.objects.get(release=draft).manifest_sha256 == digest
    taken = client.get(f"{DRAFT}manifest/")
    assert taken.content.decode() == f"{SUM}  bin/pathkeeper\n"
    assert hashlib.sha256(taken.content).hexdigest() == digest
    assert taken["Content-Disposition"].startswith("attachment")


# API


def test_the_api_reads_software_and_releases_and_publishes(
    draft: Release, world: World, paula: User, sam: User, alice: User, minsu: User, sign_in: SignIn
) -> None:
    staff, customer, stranger = sign_in(paula), sign_in(alice), sign_in(minsu)
    assert [row["slug"] for row in customer.get("/api/v1/software/").json()["results"]] == ["pathkeeper"]
    assert stranger.get("/api/v1/software/").json()["results"] == []
    assert stranger.get(f"/api/v1/releases/{world.release.pk}/").status_code == 404
    path = f"/api/v1/releases/{draft.pk}/"
    assert customer.get(path).status_code == 404
    assert sign_in(sam).post(f"{path}publish/", content_type="application/json").status_code == 403
    assert staff.post(f"{path}publish/", content_type="application/json").json()["state"] == "published"
    assert staff.post(f"{path}publish/", content_type="application/json").status_code == 409
    row = customer.get(path).json()
    assert (row["fixes"], row["applies_to"], row["components"][0]["name"]) == (
        "PR1800000",
        ["21.4R3-S5"],
        "zlib",
    )
    manifest = customer.get(f"{path}manifest/").json()
    assert [file["sha256"] for file in manifest["files"]] == [SUM]
    listed = customer.get("/api/v1/releases/?software=pathkeeper&kind=patch&state=published").json()[
        "results"
    ]
    assert [one["version"] for one in listed] == ["21.4R3-S5.2"]
    assert customer.get("/api/v1/releases/?kind=potion").status_code == 400
    assert AuditEntry.objects.filter(action="release.published").count() == 1


def test_the_api_says_why_a_draft_cannot_be_published(draft: Release, paula: User, sign_in: SignIn) -> None:
    draft.applies_to.clear()
    answer = sign_in(paula).post(f"/api/v1/releases/{draft.pk}/publish/", content_type="application/json")
    assert answer.status_code == 400
    assert "C34" in answer.content.decode()


def test_a_manifest_has_a_limit(world: World, paula: User) -> None:
    lines = [actions.ManifestLine(path=f"f{at}", size=1, sha256=A) for at in range(20_001)]
    with pytest.raises(errors.ManifestWrong):
        actions.draft_release(
            software=world.software, version="9", kind=ReleaseKind.RELEASE, line=world.line, applies_to=[],
            fixes=None, notes="", manifest=lines, by=paula, now=NOW,
        )  # fmt: skip
    assert not ReleaseFile.objects.exists()
