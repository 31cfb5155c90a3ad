"""The gate in front of every file of a release, and what is kept of each download."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from contracts.actions.licence import accept_licence
from contracts.kinds import GoverningKind, ReleaseKind, ReleaseState
from contracts.models import GoverningDocument, ReleaseFile
from entitlements import errors
from entitlements.actions import grant_download
from entitlements.models import DecisionRecord, Download
from entitlements.reasons import Code
from files.actions import store_upload
from tests import factories
from tests.conftest import SignIn, World
from tests.factories import NOW

BYTES = bytes(range(256)) * 40
MOMENT = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def stored_file(world: World, by: User, release: Any = None) -> ReleaseFile:
    stored = store_upload(uploaded=SimpleUploadedFile("pathkeeper.tgz", BYTES), by=by, now=NOW)
    return ReleaseFile.objects.create(
        release=release or world.release,
        path="pathkeeper.tgz",
        size=len(BYTES),
        sha256=stored.sha256,
        stored=stored,
    )


@pytest.fixture
def file(world: World, paula: User) -> ReleaseFile:
    return stored_file(world, paula)


@pytest.fixture
def licence(world: World) -> GoverningDocument:
    licence = GoverningDocument.objects.create(
        kind=GoverningKind.LICENCE, title="Script Licence", version="1", in_force_from=date(2024, 1, 1)
    )
    world.software.licence = licence
    world.software.save()
    return licence


def fetched(response: Any) -> bytes:
    return b"".join(response.streaming_content)


@pytest.mark.clause("C33")
def test_a_download_is_served_recorded_and_its_decision_kept(
    file: ReleaseFile, anna: User, world: World, sign_in: SignIn
) -> None:
    response = sign_in(anna).get(f"/downloads/{file.pk}/")
    assert fetched(response) == BYTES
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    download = Download.objects.get()
    assert (download.release_file, download.membership, download.at) == (file, anna.acting, NOW)
    assert (download.decision.purpose, download.decision.is_granted) == ("download", True)
    assert download.decision.contract == world.contract


def test_parts_of_a_file_within_the_hour_are_one_download_and_a_head_is_none(
    file: ReleaseFile, anna: User, sign_in: SignIn
) -> None:
    client = sign_in(anna)
    head = client.head(f"/downloads/{file.pk}/")
    assert (head.status_code, head["Content-Length"]) == (200, str(len(BYTES)))
    assert not Download.objects.exists()
    assert not DecisionRecord.objects.exists()
    parts = []
    for start, stop in ((0, 4095), (4096, len(BYTES) - 1)):
        response = client.get(f"/downloads/{file.pk}/", headers={"Range": f"bytes={start}-{stop}"})
        assert response.status_code == 206
        parts.append(fetched(response))
    assert b"".join(parts) == BYTES
    assert Download.objects.count() == DecisionRecord.objects.count() == 1
    grant_download(release_file=file, by=anna, now=NOW + timedelta(minutes=59))
    assert Download.objects.count() == 1
    grant_download(release_file=file, by=anna, now=NOW + timedelta(minutes=60))
    assert Download.objects.count() == 2


@pytest.mark.clause("C25", "C33")
def test_a_download_that_starts_as_the_contract_ends_is_decided_by_the_instant_of_its_start(
    file: ReleaseFile, anna: User, world: World, sign_in: SignIn
) -> None:
    end = world.contract.ends_at
    assert end is not None
    with time_machine.travel(end - MOMENT, tick=False) as clock:
        response = sign_in(anna).get(f"/downloads/{file.pk}/")
        pieces = iter(response.streaming_content)
        first = next(pieces)
        clock.move_to(end + timedelta(hours=2))
        assert first + b"".join(pieces) == BYTES  # what has begun goes on
    with pytest.raises(errors.DownloadRefused) as refusal:
        grant_download(release_file=file, by=anna, now=end)
    assert [reason.code for reason in refusal.value.decision.reasons] == [Code.ENDED]
    assert list(DecisionRecord.objects.order_by("pk").values_list("is_granted", flat=True)) == [True, False]


@pytest.mark.clause("C33")
def test_a_lapsed_contract_says_why_and_the_attempt_is_kept(
    file: ReleaseFile, mallory: User, sign_in: SignIn
) -> None:
    answer = sign_in(mallory).get(f"/downloads/{file.pk}/")
    assert answer.status_code == 403
    assert "ended on 31 October 2026" in answer.content.decode()
    record = DecisionRecord.objects.get()
    assert (record.purpose, record.is_granted) == ("download", False)
    assert not Download.objects.exists()


@pytest.mark.clause("C5")
def test_the_licence_in_force_is_accepted_first_and_then_each_new_version(
    file: ReleaseFile, licence: GoverningDocument, anna: User, alice: User, sign_in: SignIn
) -> None:
    client = sign_in(anna)
    answer = client.get(f"/downloads/{file.pk}/")
    address = f"/downloads/licences/{licence.pk}/accept/?next=/downloads/{file.pk}/"
    assert (answer.status_code, answer["Location"]) == (302, address)
    assert not Download.objects.exists()
    assert "Script Licence" in client.get(address).content.decode()
    answer = client.post(address, {"next": f"/downloads/{file.pk}/"})
    assert answer["Location"] == f"/downloads/{file.pk}/"
    assert fetched(sign_in(alice).get(f"/downloads/{file.pk}/")) == BYTES  # one accepts for all
    newer = GoverningDocument.objects.create(
        kind=GoverningKind.LICENCE, title="Script Licence", version="2", in_force_from=date(2026, 11, 23)
    )
    grant_download(release_file=file, by=anna, now=NOW)
    with pytest.raises(errors.LicenceNotAccepted) as refusal:
        grant_download(release_file=file, by=anna, now=NOW + timedelta(days=1))
    assert refusal.value.licence == newer


@pytest.mark.clause("C5")
def test_the_licence_of_the_release_comes_before_that_of_the_software(
    file: ReleaseFile, licence: GoverningDocument, anna: User, world: World
) -> None:
    own = GoverningDocument.objects.create(
        kind=GoverningKind.MSA, title="Master agreement", version="3", in_force_from=date(2024, 1, 1)
    )
    world.release.licence = own
    world.release.save()
    with pytest.raises(errors.LicenceNotAccepted, match="Master agreement 3"):
        grant_download(release_file=file, by=anna, now=NOW)
    accept_licence(licence=own, by=anna, now=NOW)
    assert grant_download(release_file=file, by=anna, now=NOW)


def test_accepting_leads_nowhere_but_to_our_own_downloads(
    licence: GoverningDocument, anna: User, sign_in: SignIn
) -> None:
    for wanted in ("https://evil.example/", "//evil.example/", "/people/", "javascript:alert(1)"):
        address = f"/downloads/licences/{licence.pk}/accept/"
        assert sign_in(anna).post(address, {"next": wanted})["Location"] == "/downloads/"


@pytest.mark.clause("C39")
def test_upgrades_and_releases_of_other_lines_are_not_for_download(
    world: World, paula: User, anna: User, sign_in: SignIn
) -> None:
    upgrade = factories.ReleaseFactory.make(
        line=world.line, version="22.1R1", kind=ReleaseKind.UPGRADE, published_by=paula.acting
    )
    answer = sign_in(anna).get(f"/downloads/{stored_file(world, paula, upgrade).pk}/")
    assert answer.status_code == 403
    assert "is an upgrade with new features" in answer.content.decode()


@pytest.mark.attack(
    "predictable or unauthenticated file link", "another organisation's object by number or id"
)
def test_drafts_strangers_files_and_guesses_are_not_there(
    world: World, file: ReleaseFile, paula: User, anna: User, minsu: User, client: Any, sign_in: SignIn
) -> None:
    draft = factories.ReleaseFactory.make(
        line=world.line, version="30.1", state=ReleaseState.DRAFT, published_at=None, published_by=None
    )
    assert sign_in(anna).get(f"/downloads/{stored_file(world, paula, draft).pk}/").status_code == 404
    assert sign_in(minsu).get(f"/downloads/{file.pk}/").status_code == 404
    assert sign_in(minsu).get("/downloads/999999/").status_code == 404
    assert client.get(f"/downloads/{file.pk}/").status_code == 302
    manifest_only = ReleaseFile.objects.create(release=world.release, path="x", size=1, sha256="0" * 64)
    assert sign_in(anna).get(f"/downloads/{manifest_only.pk}/").status_code == 404


def test_a_stranger_does_not_read_or_accept_a_licence(
    licence: GoverningDocument, minsu: User, sign_in: SignIn
) -> None:
    address = f"/downloads/licences/{licence.pk}/accept/"
    assert sign_in(minsu).get(address).status_code == sign_in(minsu).post(address).status_code == 404


def test_who_makes_releases_fetches_without_a_decision_and_other_staff_not_at_all(
    file: ReleaseFile, paula: User, ada: User, remy: User, sign_in: SignIn
) -> None:
    assert fetched(sign_in(paula).get(f"/downloads/{file.pk}/")) == BYTES
    assert sign_in(ada).get(f"/downloads/{file.pk}/").status_code == 403
    assert not DecisionRecord.objects.exists()
    assert sign_in(remy).get("/downloads/").status_code == 403


@pytest.mark.clause("C33", "C34")
def test_the_list_tells_what_may_be_fetched_and_why_the_rest_not_and_writes_nothing(
    world: World, file: ReleaseFile, paula: User, anna: User, mallory: User, sign_in: SignIn
) -> None:
    upgrade = factories.ReleaseFactory.make(
        line=world.line, version="22.1R1", kind=ReleaseKind.UPGRADE, published_by=paula.acting
    )
    other = stored_file(world, paula, upgrade)
    page = sign_in(anna).get("/downloads/").content.decode()
    assert f"/downloads/{file.pk}/" in page
    assert f"/downloads/{other.pk}/" not in page
    assert "Ask Professional Services for a quote." in page
    assert f"/downloads/{file.pk}/" not in sign_in(mallory).get("/downloads/").content.decode()
    assert sign_in(anna).get("/downloads/?software=nothing").context["offers"] == []
    assert not DecisionRecord.objects.exists()
    assert not Download.objects.exists()


@pytest.mark.clause("C63")
@pytest.mark.parametrize("what", ["end user", "site", "person"])
def test_no_file_goes_to_a_country_under_export_control(
    what: str, file: ReleaseFile, anna: User, world: World
) -> None:
    if what == "person":
        anna.country = "IR"
        anna.save()
    else:
        row: Any = world.contract.end_user if what == "end user" else world.site
        row.country = "IR"
        row.save()
        anna.acting.organisation.refresh_from_db()
    with pytest.raises(errors.DownloadRefused) as refusal:
        grant_download(release_file=file, by=anna, now=NOW)
    (reason,) = refusal.value.decision.reasons
    assert reason.code == Code.EXPORT_CONTROL
    assert reason.fact["country"] == "IR"


def test_a_download_is_never_changed(file: ReleaseFile, anna: User) -> None:
    download = grant_download(release_file=file, by=anna, now=NOW)
    assert download is not None
    with pytest.raises(Exception, match="Cannot update or delete"):
        download.delete()


def test_the_hour_of_a_download_belongs_to_one_person_and_one_file(
    file: ReleaseFile, anna: User, alice: User
) -> None:
    at: list[datetime] = [NOW, NOW + timedelta(minutes=5)]
    for person in (anna, alice):
        for moment in at:
            grant_download(release_file=file, by=person, now=moment)
    assert Download.objects.count() == 2
