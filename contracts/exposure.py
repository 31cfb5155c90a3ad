"""Who runs what: per release the organisations, their contracts, open cases, and the fixes not taken yet."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from accounts.models import User
from accounts.roles import Permission
from contracts.kinds import InstallState, ReleaseKind
from contracts.models import Acceptance, Drift, InstallTask, Release, ServiceContract, Software

FIXES = (ReleaseKind.PATCH, ReleaseKind.UPDATE)

# software_id: by organisation and release, how many cases are open
Counter = Callable[..., dict[tuple[int, int], int]]


class Count:
    """A number that an app above knows; none while nobody has registered it."""

    def __init__(self) -> None:
        self._counter: Counter | None = None

    def register(self, counter: Counter) -> None:
        self._counter = counter

    def by_release(self, software_id: int) -> dict[tuple[int, int], int]:
        return self._counter(software_id=software_id) if self._counter else {}


OPEN_CASES = Count()


@dataclass(frozen=True, kw_only=True)
class Fix:
    """A patch or update that was made for what an organisation runs, and that it has not taken."""

    release: Release
    task: InstallTask | None


@dataclass(frozen=True, kw_only=True)
class Exposed:
    """One line of one organisation: what it runs there. `open_cases` is None for who may not see cases."""

    acceptance: Acceptance
    contract: ServiceContract | None
    open_cases: int | None
    fixes: tuple[Fix, ...]
    drift: Drift | None


def running(software: Software, release: Release | None, user: User) -> "QuerySet[Acceptance]":
    """What runs: the current acceptances of a software, or those of one release, with the organisation's name to
    order by."""
    rows = Acceptance.objects.visible_to(user).current().filter(software=software)
    if release is not None:
        rows = rows.filter(release=release)
    return rows.select_related("organisation", "release", "line", "accepted_by__user").annotate(
        organisation_name=F("organisation__name")
    )


def taken_by(organisation: F | OuterRef, fix: Release | OuterRef) -> "QuerySet[Acceptance]":
    """Acceptances by which an organisation has a fix: of itself, or of an update that contains it (C37)."""
    has_it = Q(release=fix) | Q(release__contains=fix)
    return Acceptance.objects.filter(has_it, organisation=organisation)


def without_fix(rows: "QuerySet[Acceptance]", fix: Release) -> "QuerySet[Acceptance]":
    """Only those for whose release the fix was made and who have not taken it."""
    made_for = Release.objects.filter(pk=fix.pk, applies_to=OuterRef("release"))
    return rows.filter(Exists(made_for)).exclude(Exists(taken_by(OuterRef("organisation"), fix)))


def under_contract(rows: "QuerySet[Acceptance]", at: datetime, *, covered: bool) -> "QuerySet[Acceptance]":
    """Only those with, or without, a contract in force at `at`."""
    in_force = Exists(
        ServiceContract.objects.in_force_at(at).filter(
            end_user=OuterRef("organisation"), software=OuterRef("software")
        )
    )
    return rows.filter(in_force) if covered else rows.exclude(in_force)


def in_drift(rows: "QuerySet[Acceptance]") -> "QuerySet[Acceptance]":
    """Only those whose line is not what was accepted just now (C43)."""
    drifts = Drift.objects.open().filter(organisation=OuterRef("organisation"), line=OuterRef("line"))
    return rows.filter(Exists(drifts))


def exposed(software: Software, rows: Sequence[Acceptance], user: User, at: datetime) -> list[Exposed]:
    """All that is to be said of these acceptances at `at` (UTC). Seven queries, however many they are."""
    ids = {row.organisation_id for row in rows}
    contracts = {
        contract.end_user_id: contract
        for contract in ServiceContract.objects.in_force_at(at).filter(software=software, end_user__in=ids)
    }
    drifts = {
        (drift.organisation_id, drift.line_id): drift
        for drift in Drift.objects.open().filter(software=software, organisation__in=ids)
    }
    counts = OPEN_CASES.by_release(software.pk) if user.can(Permission.CASE_VIEW_ALL) else None
    fixes = _fixes(software, rows)
    return [
        Exposed(
            acceptance=row,
            contract=contracts.get(row.organisation_id),
            open_cases=None if counts is None else counts.get((row.organisation_id, row.release_id), 0),
            fixes=fixes[row.pk],
            drift=drifts.get((row.organisation_id, row.line_id)),
        )
        for row in rows
    ]


def _fixes(software: Software, rows: Sequence[Acceptance]) -> dict[int, tuple[Fix, ...]]:
    """By acceptance, newest fix first."""
    ids = {row.organisation_id for row in rows}
    made_for = _made_for({row.release_id for row in rows})
    contained = _contained(software)
    taken: dict[int, set[int]] = defaultdict(set)
    has = Acceptance.objects.filter(software=software, organisation__in=ids)
    for organisation, release in has.values_list("organisation", "release"):
        taken[organisation] |= {release, *contained.get(release, ())}
    open_tasks = InstallTask.objects.open().filter(software=software, organisation__in=ids)
    tasks = {(task.organisation_id, task.release_id): task for task in open_tasks}
    return {
        row.pk: tuple(
            Fix(release=fix, task=tasks.get((row.organisation_id, fix.pk)))
            for fix in made_for.get(row.release_id, ())
            if fix.pk not in taken[row.organisation_id]
        )
        for row in rows
    }


def _made_for(releases: Collection[int]) -> dict[int, list[Release]]:
    """By release, the published patches and updates that were made for it."""
    links = Release.applies_to.through.objects.filter(to_release__in=releases)
    fixes = (
        Release.objects.published()
        .filter(kind__in=FIXES, pk__in=Subquery(links.values("from_release")))
        .order_by("-sort_key", "-pk")
    )
    by_id = {fix.pk: fix for fix in fixes}
    found: dict[int, list[Release]] = defaultdict(list)
    order = {pk: at for at, pk in enumerate(by_id)}
    pairs: Iterable[tuple[int, int]] = links.values_list("from_release", "to_release")
    for fix, release in sorted((p for p in pairs if p[0] in by_id), key=lambda pair: order[pair[0]]):
        found[release].append(by_id[fix])
    return found


def _contained(software: Software) -> dict[int, list[int]]:
    """By update, the patches that it contains (C37)."""
    found: dict[int, list[int]] = defaultdict(list)
    links = Release.contains.through.objects.filter(from_release__software=software)
    for update, patch in links.values_list("from_release", "to_release"):
        found[update].append(patch)
    return found


def who_lacks(fix: Release) -> "QuerySet[Acceptance]":
    """Current acceptances of releases that a patch or update is made for, of organisations that have not taken it:
    whom a task to install it is for (C48)."""
    rows = Acceptance.objects.current().filter(software=fix.software)
    return without_fix(rows, fix).exclude(
        Exists(
            InstallTask.objects.filter(
                organisation=OuterRef("organisation"), release=fix, state=InstallState.OPEN
            )
        )
    )
