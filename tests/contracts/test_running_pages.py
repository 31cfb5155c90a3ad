"""`/install-tasks/`, `/integrity/`, verifying a release, recording drift: what people type and see."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.models import User
from contracts import actions
from contracts.integrity import Sum
from contracts.kinds import InstallState, ReleaseKind
from contracts.models import Acceptance, Drift, InstallTask, IntegrityCheck, Release, ReleaseFile
from tests import factories
from tests.conftest import SignIn, World
from tests.factories import LONG_AGO

A, B = "a" * 64, "b" * 64
RELEASE = "/software/pathkeeper/21.4R3-S5/"
PATCH = "/software/pathkeeper/21.4R3-S5.1/"


@pytest.fixture
def patch(world: World, paula: User) -> Release:
    row = factories.ReleaseFactory.make(
        line=world.line,
        version="21.4R3-S5.1",
        kind=ReleaseKind.PATCH,
        fixes=factories.DefectFactory.make(software=world.software),
        published_by=paula.acting,
    )
    row.applies_to.add(world.release)
    return row


@pytest.fixture
def release(world: World) -> Release:
    ReleaseFile.objects.create(release=world.release, path="bin/pathkeeper", size=9, sha256=A)
    ReleaseFile.objects.create(release=world.release, path="etc/site.conf", size=9, sha256=B, is_fixed=False)
    return world.release


# Install tasks


@pytest.mark.clause("C48")
def test_staff_ask_those_who_lack_it_and_a_technical_contact_says_it_is_done(
    patch: Release, world: World, sam: User, alice: User, sign_in: SignIn
) -> None:
    staff, customer = sign_in(sam), sign_in(alice)
    form = staff.get(f"{PATCH}ask-to-install/").context["form"]
    offered = [organisation.slug for organisation in form.fields["organisations"].queryset]
    assert offered == ["acme-telecom", "rival-net"]
    asked = form.initial["organisations"]
    assert asked == [world.contract.end_user_id], "who has no contract in force is not asked by default"
    due = (timezone.now() + timedelta(days=9)).date()
    values = {"organisations": asked[:1], "due_on": due, "instruction": "Stop, <b>unpack</b>, start."}
    assert staff.post(f"{PATCH}ask-to-install/", values).status_code == 302
    task = InstallTask.objects.get()
    assert "21.4R3-S5.1" in customer.get("/install-tasks/").content.decode()
    text = customer.get(f"/install-tasks/{task.pk}/").content.decode()
    assert "Stop, &lt;b&gt;unpack&lt;/b&gt;, start." in text
    done = {"done_on": (timezone.now() - timedelta(days=2)).date(), "note": ""}
    assert customer.post(f"/install-tasks/{task.pk}/done/", done).status_code == 302
    task.refresh_from_db()
    assert task.state == InstallState.DONE
    assert Acceptance.objects.current().get(organisation=task.organisation).release == patch
    assert customer.get("/install-tasks/").context["rows"] == []
    assert len(customer.get("/install-tasks/?state=done").context["rows"]) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"due_on": "2020-01-01"}, "due_on"),
        ({"due_on": "2027-02-29"}, "due_on"),
        ({"due_on": ""}, "due_on"),
        ({"instruction": " "}, "instruction"),
        ({"instruction": "x" * 8001}, "instruction"),
        ({"instruction": "a\x1b"}, "instruction"),
        ({"organisations": []}, "organisations"),
        ({"organisations": ["999999999"]}, "organisations"),
        ({"organisations": ["x"]}, "organisations"),
    ],
)
def test_a_task_that_cannot_be_is_refused_beside_its_cause(
    changes: dict[str, Any], field: str, patch: Release, world: World, sam: User, sign_in: SignIn
) -> None:
    values = {
        "organisations": [world.contract.end_user_id],
        "due_on": (timezone.now() + timedelta(days=9)).date(),
        "instruction": "Typed with care.",
    }
    answer = sign_in(sam).post(f"{PATCH}ask-to-install/", {**values, **changes})
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])
    assert not InstallTask.objects.exists()


@pytest.mark.attack("foreign ids in the body")
def test_an_end_user_that_does_not_run_it_cannot_be_asked(
    patch: Release, sam: User, minsu: User, sign_in: SignIn
) -> None:
    values = {
        "organisations": [minsu.acting.organisation_id],  # type: ignore[union-attr]
        "due_on": (timezone.now() + timedelta(days=9)).date(),
        "instruction": "x",
    }
    answer = sign_in(sam).post(f"{PATCH}ask-to-install/", values)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["organisations"])


@pytest.mark.parametrize("done_on", ["2024-01-01", "2999-01-01", "yesterday", ""])
def test_a_day_that_it_cannot_have_been_installed_on(
    done_on: str, patch: Release, world: World, sam: User, alice: User, sign_in: SignIn
) -> None:
    task = factories.InstallTaskFactory.make(
        organisation=world.contract.end_user, release=patch, created_by=sam.acting
    )
    answer = sign_in(alice).post(f"/install-tasks/{task.pk}/done/", {"done_on": done_on, "note": "Kept"})
    assert (answer.status_code, list(answer.context["done_form"].errors)) == (422, ["done_on"])
    assert "Kept" in answer.content.decode()


def test_a_day_that_has_gone_by_is_shown_to_both_sides(
    patch: Release, world: World, sam: User, alice: User, sign_in: SignIn
) -> None:
    factories.InstallTaskFactory.make(
        organisation=world.contract.end_user, release=patch, created_by=sam.acting, due_on=LONG_AGO.date()
    )
    for who in (sam, alice):
        assert "Overdue" in sign_in(who).get("/install-tasks/").content.decode()


# Verifying


@pytest.mark.clause("C42", "C43")
def test_a_pasted_list_is_compared_kept_and_answered(release: Release, anna: User, sign_in: SignIn) -> None:
    client = sign_in(anna)
    sums = f"{B}  /opt/pk/bin/pathkeeper\n{A}  /opt/pk/etc/site.conf\n{A}  /opt/pk/log/x"
    answer = client.post(f"{RELEASE}verify/", {"sums": sums, "host": "core-1"}, follow=True)
    text = answer.content.decode()
    assert "1 fixed file is changed or missing." in text
    assert "/opt/pk/" in text, "the folder that was cut off is said"
    assert "counts as drift since" in text
    check = IntegrityCheck.objects.get()
    assert (check.changed, check.extra, check.broken) == (2, 1, 1)
    listed = client.get("/integrity/").content.decode()
    assert "Differs" in listed
    assert "core-1" in listed
    assert (
        "Every fixed file is as it was delivered."
        in client.post(f"{RELEASE}verify/", {"sums": f"{A}  bin/pathkeeper"}, follow=True).content.decode()
    )
    assert not Drift.objects.open().exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_uploaded_list_is_compared(encoding: str, release: Release, anna: User, sign_in: SignIn) -> None:
    upload = SimpleUploadedFile("sums.txt", f"{A} *./bin/pathkeeper\r\n".encode(encoding))
    sign_in(anna).post(f"{RELEASE}verify/", {"upload": upload})
    assert IntegrityCheck.objects.get().intact == 1


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({}, "sums", "Paste"),
        ({"sums": " \n"}, "sums", "Paste"),
        ({"sums": "sha256sum: x: No such file"}, "sums", "Line 1"),
        ({"sums": f"{A}  good\n{A}  ../../etc/shadow"}, "sums", "Line 2"),
        ({"sums": f"{A}  x\n" * 50_002}, "sums", "50000 lines"),
        ({"sums": f"{A}  x", "host": "h" * 121}, "host", "120"),
        ({"sums": f"{A}  x", "folder": "a\x1b"}, "folder", "control"),
        ({"sums": f"{A}  x", "upload": SimpleUploadedFile("s", b"x")}, "upload", "not both"),
        ({"upload": SimpleUploadedFile("s", b"\x89PNG\xff")}, "upload", "not a text"),
        ({"upload": SimpleUploadedFile("s", b"\n")}, "upload", "no sum"),
        ({"upload": SimpleUploadedFile("s", b"a" * (5 * 1024 * 1024 + 1))}, "upload", "5 MB"),
        ({"upload": SimpleUploadedFile("s", b"")}, "upload", "empty"),
    ],
)
def test_what_is_no_list_is_refused_by_line_and_kept_as_typed(
    values: dict[str, Any],
    field: str,
    words: str,
    release: Release,
    anna: User,
    sign_in: SignIn,
    settings: Any,
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024
    answer = sign_in(anna).post(f"{RELEASE}verify/", values)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])
    assert words in str(answer.context["form"].errors[field])
    assert not IntegrityCheck.objects.exists()
    if "sums" in values and len(values["sums"]) < 500:
        assert values["sums"].strip() in answer.content.decode()


@pytest.mark.attack("script in every text")
def test_paths_hosts_and_evidence_are_text(
    release: Release, world: World, sam: User, anna: User, sign_in: SignIn
) -> None:
    client = sign_in(anna)
    sums = f"{B}  bin/pathkeeper\n{A}  <script>alert(1)</script>"
    page = client.post(f"{RELEASE}verify/", {"sums": sums, "host": "<i>x</i>"}, follow=True).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<i>x</i>" not in client.get("/integrity/").content.decode()


def test_a_check_with_many_findings_shows_the_first_and_says_how_many_more(
    release: Release, anna: User, sign_in: SignIn
) -> None:
    sums = "\n".join(f"{A}  log/{at:05}" for at in range(700))
    text = sign_in(anna).post(f"{RELEASE}verify/", {"sums": sums}, follow=True).content.decode()
    assert "And 202 more files." in text


# Drift


@pytest.mark.clause("C43", "C72")
def test_staff_record_drift_with_a_file_and_end_it_and_the_end_user_sees_both(
    release: Release, world: World, sam: User, anna: User, mallory: User, sign_in: SignIn
) -> None:
    staff, customer = sign_in(sam), sign_in(anna)
    values = {
        "release": release.pk,
        "since": (timezone.now() - timedelta(days=4)).date(),
        "evidence": "They tried to patch the binary.",
        "evidence_file": SimpleUploadedFile("diff.txt", b"-old +new"),
    }
    assert staff.post("/drifts/acme-telecom/new/", values).status_code == 302
    drift = Drift.objects.get()
    assert "They tried to patch the binary." in customer.get("/integrity/").content.decode()
    evidence = f"/drifts/{drift.pk}/evidence/"
    assert b"".join(customer.get(evidence)) == b"-old +new"
    assert sign_in(mallory).get(evidence).status_code == 404
    assert staff.post(f"/drifts/{drift.pk}/end/", {"reason": " "}).status_code == 422
    assert staff.post(f"/drifts/{drift.pk}/end/", {"reason": "They put it back."}).status_code == 302
    assert "They put it back." in customer.get("/integrity/").content.decode()
    assert staff.post(f"/drifts/{drift.pk}/end/", {"reason": "Again."}).status_code == 422


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"since": "2999-01-01"}, "since"),
        ({"since": "2026-02-30"}, "since"),
        ({"evidence": ""}, "evidence"),
        ({"release": "999999"}, "release"),
        ({"evidence_file": SimpleUploadedFile("x", b"")}, "evidence_file"),
    ],
)
def test_a_claim_that_cannot_be_is_refused_beside_its_cause(
    changes: dict[str, Any], field: str, release: Release, sam: User, sign_in: SignIn
) -> None:
    values = {"release": release.pk, "since": "2026-01-01", "evidence": "Typed with care.", **changes}
    answer = sign_in(sam).post("/drifts/acme-telecom/new/", values)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])
    assert not Drift.objects.exists()


@pytest.mark.attack("another organisation's object by number or id", "search as an oracle")
def test_what_runs_at_one_end_user_is_invisible_to_another_and_to_partners(
    release: Release, patch: Release, world: World, sam: User, alice: User, mallory: User, remy: User,
    sign_in: SignIn,
) -> None:  # fmt: skip
    task = factories.InstallTaskFactory.make(
        organisation=world.contract.end_user, release=patch, created_by=sam.acting, instruction="Secret plan"
    )
    sign_in(alice).post(f"{RELEASE}verify/", {"sums": f"{B}  bin/pathkeeper", "host": "secret-host"})
    check = IntegrityCheck.objects.get()
    for who in (mallory, remy):
        client = sign_in(who)
        for path in (f"/install-tasks/{task.pk}/", f"/integrity/{check.pk}/"):
            assert client.get(path).status_code == 404
        for path in ("/install-tasks/", "/integrity/"):
            text = client.get(path).content.decode()
            assert "Secret plan" not in text
            assert "secret-host" not in text


@pytest.mark.parametrize("path", ["/install-tasks/", "/integrity/"])
def test_the_lists_cost_few_queries_whatever_their_length(
    path: str, release: Release, world: World, sam: User, paula: User, alice: User, sign_in: SignIn,
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    for at in range(30):
        row = factories.ReleaseFactory.make(line=world.line, version=f"30.{at}", published_by=paula.acting)
        factories.InstallTaskFactory.make(
            organisation=world.contract.end_user, release=row, created_by=sam.acting
        )
        sums = [Sum(path="bin/pathkeeper", sha256=A)]
        actions.check_integrity(release=release, sums=sums, by=alice, now=timezone.now())
    client = sign_in(sam)
    client.get(path)
    with django_assert_max_num_queries(9):
        client.get(path)


def test_open_tasks_are_counted_where_the_person_looks_first(
    patch: Release, world: World, sam: User, alice: User, sign_in: SignIn
) -> None:
    factories.InstallTaskFactory.make(
        organisation=world.contract.end_user, release=patch, created_by=sam.acting
    )
    rail = [link for section in sign_in(alice).get("/").context["rail"] for link in section.links]
    assert [(link.count, link.is_hot) for link in rail if link.href == "/install-tasks/"] == [(1, True)]
