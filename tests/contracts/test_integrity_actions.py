"""Checks that are kept, drift that they open and end, and drift that staff claim, on real PostgreSQL."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.models import AuditEntry, User
from contracts import actions, errors
from contracts.integrity import Sum
from contracts.kinds import ReleaseKind
from contracts.models import Drift, IntegrityCheck, Release, ReleaseFile
from tests import factories
from tests.conftest import World
from tests.factories import LONG_AGO, NOW

A, B = "a" * 64, "b" * 64
CLEAN = [Sum(path="bin/pathkeeper", sha256=A), Sum(path="etc/site.conf", sha256=B)]
EDITED = [Sum(path="bin/pathkeeper", sha256=A), Sum(path="etc/site.conf", sha256=A)]
CHANGED = [Sum(path="bin/pathkeeper", sha256=B)]
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def release(world: World) -> Release:
    ReleaseFile.objects.create(release=world.release, path="bin/pathkeeper", size=9, sha256=A)
    ReleaseFile.objects.create(release=world.release, path="etc/site.conf", size=9, sha256=B, is_fixed=False)
    return world.release


def _check(release: Release, sums: list[Sum], by: User, now: Any = NOW) -> IntegrityCheck:
    return actions.check_integrity(release=release, sums=sums, by=by, now=now, host=" core-1 ")


@pytest.mark.clause("C42", "C43", "C72")
def test_a_changed_fixed_file_is_drift_until_a_clean_check(release: Release, anna: User) -> None:
    check = _check(release, CHANGED, anna)
    assert (check.changed, check.missing, check.broken, check.host) == (1, 1, 1, "core-1")
    drift = Drift.objects.get()
    assert (drift.shown_by, drift.since, drift.line, drift.recorded_by) == (
        check,
        NOW,
        release.line,
        anna.acting,
    )
    again = _check(release, CHANGED, anna, LATER)
    assert Drift.objects.get().shown_by == check
    clean = _check(release, CLEAN, anna, LATER)
    drift.refresh_from_db()
    assert (drift.ended_at, drift.ended_by_check) == (LATER, clean)
    assert IntegrityCheck.objects.count() == 3
    assert again.findings[0] == {
        "path": "bin/pathkeeper",
        "verdict": "changed",
        "is_fixed": True,
        "sha256": B,
    }


@pytest.mark.clause("C42")
def test_files_edited_at_the_site_and_files_of_ones_own_are_no_drift(release: Release, alice: User) -> None:
    check = _check(release, [*EDITED, Sum(path="log/x", sha256=A)], alice)
    assert (check.intact, check.changed, check.extra, check.broken) == (1, 1, 1, 0)
    assert not Drift.objects.exists()


def test_a_clean_check_at_the_moment_the_drift_begins_still_ends_it_after(
    release: Release, alice: User
) -> None:
    _check(release, CHANGED, alice)
    _check(release, CLEAN, alice)
    drift = Drift.objects.get()
    assert drift.ended_at == NOW + timedelta(microseconds=1)


def test_a_release_that_is_not_accepted_is_compared_without_consequences(
    release: Release, world: World, alice: User, paula: User
) -> None:
    newer = factories.ReleaseFactory.make(
        line=world.line, version="21.4R3-S6", kind=ReleaseKind.RELEASE, published_by=paula.acting
    )
    ReleaseFile.objects.create(release=newer, path="bin/pathkeeper", size=9, sha256=B)
    assert _check(newer, CLEAN, alice).broken == 1
    assert not Drift.objects.exists()


def test_drift_of_one_end_user_says_nothing_of_another(release: Release, alice: User, mallory: User) -> None:
    _check(release, CHANGED, mallory)
    _check(release, CLEAN, alice)
    assert Drift.objects.open().get().organisation == mallory.acting.organisation  # type: ignore[union-attr]


@pytest.mark.parametrize("who", ["sam", "paula", "remy", "aki", "root"])
def test_only_contacts_of_the_end_user_verify(
    who: str, release: Release, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(errors.NotAllowed):
        _check(release, CLEAN, request.getfixturevalue(who))


def test_there_must_be_something_to_compare(world: World, release: Release, alice: User, minsu: User) -> None:
    with pytest.raises(errors.SumsUnreadable):
        _check(release, [], alice)
    with pytest.raises(errors.NotAcceptable):
        _check(release, CLEAN, minsu)
    ReleaseFile.objects.all().delete()
    with pytest.raises(errors.SumsUnreadable):
        _check(release, CLEAN, alice)
    assert not IntegrityCheck.objects.exists()


@pytest.mark.attack("two people change the same case at once")
@pytest.mark.django_db(transaction=True)
def test_two_bad_checks_at_once_open_one_drift(release: Release, alice: User, anna: User) -> None:
    start = threading.Barrier(4)

    def check(by: User, at: int) -> None:
        start.wait()
        try:
            _check(release, CHANGED, by, NOW + timedelta(seconds=at))
        finally:
            connection.close()

    threads = [threading.Thread(target=check, args=(by, at)) for at, by in enumerate((alice, anna) * 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (IntegrityCheck.objects.count(), Drift.objects.count()) == (4, 1)


# Claims of staff


def _claim(release: Release, world: World, by: User, **changes: Any) -> Drift:
    values: dict[str, Any] = {
        "organisation": world.contract.end_user,
        "since": NOW - timedelta(days=3),
        "evidence": "The log of the case shows a patched binary.",
        "now": NOW,
    }
    return actions.record_drift(release=release, by=by, **{**values, **changes})


@pytest.mark.clause("C43", "C72")
def test_staff_claim_drift_with_evidence_under_their_name_and_end_it_with_a_reason(
    release: Release, world: World, sam: User, paula: User
) -> None:
    drift = _claim(release, world, sam)
    assert (drift.recorded_by, drift.shown_by, drift.is_on_at(NOW)) == (sam.acting, None, True)
    with pytest.raises(errors.ReasonNeeded):
        actions.end_drift(drift=drift, reason=" ", by=paula, now=LATER)
    ended = actions.end_drift(drift=drift, reason="They put it back.", by=paula, now=LATER)
    assert (ended.ended_at, ended.ended_by, ended.is_on_at(LATER)) == (LATER, paula.acting, False)
    with pytest.raises(errors.WrongState):
        actions.end_drift(drift=drift, reason="Twice.", by=paula, now=LATER)
    assert AuditEntry.objects.filter(action__startswith="drift.").count() == 2


def test_a_clean_check_ends_a_claimed_drift_too(
    release: Release, world: World, sam: User, alice: User
) -> None:
    drift = _claim(release, world, sam)
    _check(release, CLEAN, alice)
    drift.refresh_from_db()
    assert drift.ended_at == NOW


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"evidence": "  "}, errors.EvidenceNeeded),
        ({"since": LATER}, errors.DriftOverlaps),
    ],
)
def test_a_claim_has_evidence_and_is_not_of_the_future(
    changes: dict[str, Any], error: type[Exception], release: Release, world: World, sam: User
) -> None:
    with pytest.raises(error):
        _claim(release, world, sam, **changes)


def test_a_line_drifts_once_at_a_time(release: Release, world: World, sam: User) -> None:
    drift = _claim(release, world, sam)
    with pytest.raises(errors.DriftOverlaps):
        _claim(release, world, sam, since=NOW)
    actions.end_drift(drift=drift, reason="Back.", by=sam, now=NOW)
    with pytest.raises(errors.DriftOverlaps):
        _claim(release, world, sam, since=LONG_AGO, now=LATER)
    assert _claim(release, world, sam, since=NOW, now=LATER)


@pytest.mark.parametrize("who", ["alice", "ada", "aki", "remy"])
def test_nobody_else_decides_about_drift(
    who: str, release: Release, world: World, sam: User, request: pytest.FixtureRequest
) -> None:
    by = request.getfixturevalue(who)
    drift = _claim(release, world, sam)
    with pytest.raises(errors.NotAllowed):
        actions.end_drift(drift=drift, reason="No.", by=by, now=LATER)
    with pytest.raises(errors.NotAllowed):
        _claim(release, world, by)


def test_nobody_drifts_from_what_they_never_accepted(
    release: Release, world: World, sam: User, minsu: User
) -> None:
    with pytest.raises(errors.NotAcceptable):
        _claim(release, world, sam, organisation=minsu.acting.organisation)  # type: ignore[union-attr]


@pytest.mark.parametrize("who", ["alice", "anna", "mallory", "remy", "sam", "root"])
def test_drift_and_checks_are_seen_by_their_own_people_and_by_staff(
    who: str, release: Release, world: World, sam: User, alice: User, request: pytest.FixtureRequest
) -> None:
    _claim(release, world, sam)
    _check(release, CHANGED, alice)
    by = request.getfixturevalue(who)
    seen = who in ("alice", "anna", "sam")
    assert Drift.objects.visible_to(by).count() == seen
    assert IntegrityCheck.objects.visible_to(by).count() == seen
