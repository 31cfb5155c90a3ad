"""The database refuses what cannot be: licences, tasks, checks, drift, and the files and parts of a release."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from contracts import errors
from contracts.models import (
    Component,
    Drift,
    GoverningDocument,
    InstallTask,
    IntegrityCheck,
    LicenceAcceptance,
    Release,
    ReleaseFile,
)
from tests import factories
from tests.conftest import World
from tests.factories import LONG_AGO, NOW

SHA = "a" * 64


def _refused(sentence: str, write: Callable[[], Any]) -> None:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        write()
    assert errors.violated(refusal.value) == sentence


@pytest.fixture
def task(world: World, paula: User) -> InstallTask:
    return factories.InstallTaskFactory.make(
        organisation=world.contract.end_user, release=world.release, created_by=paula.acting
    )


@pytest.fixture
def check(world: World, alice: User) -> IntegrityCheck:
    return factories.IntegrityCheckFactory.make(
        organisation=world.contract.end_user, release=world.release, checked_by=alice.acting
    )


@pytest.fixture
def drift(world: World, sam: User) -> Drift:
    return factories.DriftFactory.make(
        organisation=world.contract.end_user, release=world.release, recorded_by=sam.acting
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"state": "asleep", "closed_at": NOW}, "state_is_known"),
        ({"state": "done", "done_on": NOW.date()}, "closed_names_when_and_by_whom"),
        ({"closed_at": NOW}, "closed_names_when_and_by_whom"),
        ({"state": "done", "closed_at": NOW, "closed_by": 1}, "done_names_the_day"),
        ({"state": "cancelled", "closed_at": NOW, "closed_by": 1}, "cancelled_says_why"),
    ],
)
def test_a_task_that_makes_no_sense(changes: dict[str, Any], sentence: str, task: InstallTask) -> None:
    changes = {**changes, **({"closed_by": task.created_by} if "closed_by" in changes else {})}
    if sentence == "state_is_known":
        changes["closed_by"] = task.created_by
    _refused(
        f"contracts_installtask_{sentence}", lambda: InstallTask.objects.filter(pk=task.pk).update(**changes)
    )


def test_two_open_tasks_for_one_release(task: InstallTask) -> None:
    def write() -> None:
        factories.InstallTaskFactory.make(
            organisation=task.organisation, release=task.release, created_by=task.created_by
        )

    _refused("contracts_installtask_is_open_once_per_release", write)
    done = {"state": "cancelled", "closed_at": NOW, "closed_by": task.created_by, "closing_note": "Wrong."}
    InstallTask.objects.filter(pk=task.pk).update(**done)
    write()


def test_a_check_with_more_broken_files_than_changed_and_missing_ones(check: IntegrityCheck) -> None:
    rows = IntegrityCheck.objects.filter(pk=check.pk)
    rows.update(changed=1, missing=1, broken=2)
    _refused(
        "contracts_integritycheck_broken_are_changed_or_missing", lambda: rows.update(changed=1, broken=3)
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"evidence": ""}, "rests_on_a_check_or_on_evidence"),
        ({"recorded_at": LONG_AGO - timedelta(seconds=1)}, "is_not_claimed_for_the_future"),
        ({"ended_at": LONG_AGO, "ended_by": 1, "ended_reason": "Put back."}, "ends_after_it_began"),
        ({"ended_at": NOW}, "end_names_a_check_or_who_and_why"),
        ({"ended_at": NOW, "ended_by": 1}, "end_names_a_check_or_who_and_why"),
        ({"ended_by": 1}, "end_names_a_check_or_who_and_why"),
    ],
)
def test_a_drift_that_makes_no_sense(changes: dict[str, Any], sentence: str, drift: Drift) -> None:
    changes = {**changes, **({"ended_by": drift.recorded_by} if "ended_by" in changes else {})}
    _refused(f"contracts_drift_{sentence}", lambda: Drift.objects.filter(pk=drift.pk).update(**changes))


def test_two_drifts_of_a_line_at_once_and_two_of_one_check(drift: Drift, check: IntegrityCheck) -> None:
    def again(**changes: Any) -> Drift:
        return factories.DriftFactory.make(
            organisation=drift.organisation,
            release=drift.release,
            recorded_by=drift.recorded_by,
            recorded_at=NOW,
            **changes,
        )

    overlaps = "contracts_drift_periods_of_a_line_never_overlap"
    end = LONG_AGO + timedelta(days=1)
    _refused(overlaps, lambda: again(since=NOW))
    Drift.objects.update(ended_at=end, ended_by=drift.recorded_by, ended_reason="Put back.", shown_by=check)
    _refused(overlaps, lambda: again(since=end - timedelta(microseconds=1)))
    _refused("contracts_drift_shown_by_id_key", lambda: again(since=end, shown_by=check))
    assert again(since=end).is_on_at(NOW)
    assert [row.is_on_at(end) for row in Drift.objects.order_by("since")] == [False, True]


def test_a_licence_that_is_accepted_twice(world: World, alice: User) -> None:
    licence = GoverningDocument.objects.create(
        kind="licence", title="Script", version="1", in_force_from=LONG_AGO.date()
    )

    def write() -> None:
        LicenceAcceptance.objects.create(
            organisation=world.contract.end_user, licence=licence, accepted_by=alice.acting, accepted_at=NOW
        )

    write()
    _refused("contracts_licenceacceptance_is_once_per_version", write)


# Releases


@pytest.mark.parametrize(
    "path", ["", "/x", "..", "../x", "a/../b", "a/..", ".", "./x", "a//b", "a/", "a\\b", "a\nb", "a\x7f"]
)
def test_a_manifest_path_that_leaves_its_folder(path: str, world: World) -> None:
    _refused(
        "contracts_releasefile_path_stays_inside_its_folder",
        lambda: ReleaseFile.objects.create(release=world.release, path=path, size=1, sha256=SHA),
    )


def test_good_paths_are_taken_once_and_sizes_are_sizes(world: World) -> None:
    for path in ("x", ".x", "a/b..c", "설정/파일 1"):
        ReleaseFile.objects.create(release=world.release, path=path, size=0, sha256=SHA)
    _refused(
        "contracts_releasefile_path_is_unique_in_its_release",
        lambda: ReleaseFile.objects.create(release=world.release, path="x", size=1, sha256=SHA),
    )
    _refused(
        "contracts_releasefile_size_is_not_negative",
        lambda: ReleaseFile.objects.create(release=world.release, path="y", size=-1, sha256=SHA),
    )


def test_a_component_without_a_licence_or_listed_twice(world: World) -> None:
    def write(**changes: Any) -> None:
        values = {"name": "OpenSSL", "version": "3.0.15", "licence": "Apache-2.0", **changes}
        Component.objects.create(release=world.release, **values)

    write()
    _refused("contracts_component_is_listed_once_per_release", write)
    for field in ("name", "version", "licence"):
        _refused("contracts_component_names_version_and_licence", lambda field=field: write(**{field: ""}))  # type: ignore[misc]


@pytest.mark.clause("C67")
def test_notes_in_another_language_without_a_reason(world: World) -> None:
    _refused(
        "contracts_release_notes_are_english_or_say_why",
        lambda: Release.objects.filter(pk=world.release.pk).update(language="ko"),
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({"means": "wish"}, "means_is_known"), ({"manifest_sha256": "x"}, "manifest_is_64_hex_digits")],
)
def test_an_acceptance_that_makes_no_sense(changes: dict[str, str], sentence: str, world: World) -> None:
    _refused(f"contracts_acceptance_{sentence}", lambda: world.release.acceptances.update(**changes))


def test_every_constraint_of_what_runs_is_tried_here() -> None:
    """A rule that nobody has seen refuse a row may refuse none."""
    models = (InstallTask, IntegrityCheck, Drift, LicenceAcceptance, Component, ReleaseFile)
    named = {constraint.name for model in models for constraint in model._meta.constraints}
    text = Path(__file__).read_text(encoding="utf-8")
    elsewhere = {"contracts_releasefile_sha256_is_64_hex_digits"}  # tests/contracts/test_release_actions.py
    assert [name for name in sorted(named - elsewhere) if name.split("_", 2)[2] not in text] == []
