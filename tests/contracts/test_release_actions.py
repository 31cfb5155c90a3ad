"""Software, releases and acceptance, on real PostgreSQL."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import AuditEntry, Organisation, User
from contracts import actions, errors
from contracts.followups import RELEASE_ACCEPTED, RELEASE_PUBLISHED
from contracts.kinds import ReleaseKind, ReleaseState
from contracts.models import Acceptance, Release, ReleaseFile, Software
from contracts.versions import InvalidVersion
from tests import factories
from tests.conftest import World
from tests.factories import NOW


def _draft(world: World, by: User, **changes: Any) -> Release:
    values: dict[str, Any] = {
        "software": world.software,
        "version": "21.4R3-S5.1",
        "kind": ReleaseKind.PATCH,
        "line": world.line,
        "applies_to": [world.release],
        "fixes": None,
        "notes": "Fixes the **crash**.",
        "by": by,
        "now": NOW,
    }
    return actions.draft_release(**{**values, **changes})


def _defect(world: World, by: User) -> Any:
    return actions.register_defect(
        software=world.software, number="PR1790001", title="Path lost", by=by, now=NOW
    )


@pytest.mark.clause("C23", "C36")
def test_a_patch_is_drafted_by_an_engineer_and_published_by_professional_services(
    world: World, sam: User, paula: User, alice: User
) -> None:
    draft = _draft(world, sam, fixes=_defect(world, sam))
    assert draft.state == ReleaseState.DRAFT
    assert list(draft.applies_to.all()) == [world.release]
    with pytest.raises(errors.NotAllowed):
        actions.publish_release(release=draft, by=sam, now=NOW)
    published = actions.publish_release(release=draft, by=paula, now=NOW)
    assert (published.state, published.published_by) == (ReleaseState.PUBLISHED, paula.acting)
    assert AuditEntry.objects.filter(action="release.published").count() == 1
    with pytest.raises(errors.WrongState):
        actions.publish_release(release=draft, by=paula, now=NOW)
    with pytest.raises(errors.NotAllowed):
        _draft(world, alice)


@pytest.mark.clause("C36")
def test_a_patch_names_its_defect_before_it_is_published(world: World, paula: User) -> None:
    draft = _draft(world, paula)
    with pytest.raises(errors.DefectMissing):
        actions.publish_release(release=draft, by=paula, now=NOW)


@pytest.mark.clause("C37", "C38")
def test_an_update_is_published_only_without_new_features(world: World, paula: User) -> None:
    patch = _draft(world, paula, fixes=_defect(world, paula))
    update = _draft(world, paula, version="21.4R3-S6", kind=ReleaseKind.UPDATE, contains=[patch])
    with pytest.raises(errors.NewFeatures):
        actions.publish_release(release=update, by=paula, now=NOW)
    actions.publish_release(release=update, by=paula, now=NOW, has_no_new_features=True)
    update.refresh_from_db()
    assert update.has_no_new_features
    assert list(update.contains.all()) == [patch]


@pytest.mark.clause("C34")
def test_a_patch_or_update_says_which_releases_it_is_made_for(world: World, paula: User) -> None:
    draft = _draft(world, paula, applies_to=[], fixes=_defect(world, paula))
    with pytest.raises(errors.AppliesToAnother):
        actions.publish_release(release=draft, by=paula, now=NOW)


@pytest.mark.parametrize("foreign", ["applies_to", "contains", "line", "fixes"])
def test_nothing_of_another_software_gets_into_a_release(foreign: str, world: World, paula: User) -> None:
    other = factories.ReleaseFactory.make(version="9.9", published_by=paula.acting)
    value = {
        "applies_to": [other],
        "contains": [other],
        "line": other.line,
        "fixes": factories.DefectFactory.make(software=other.software),
    }[foreign]
    with pytest.raises(errors.AppliesToAnother):
        _draft(world, paula, **{foreign: value})
    assert not Release.objects.filter(version="21.4R3-S5.1").exists()


def test_a_defect_belongs_to_one_software(world: World, paula: User) -> None:
    defect = factories.DefectFactory.make()
    with pytest.raises(errors.AppliesToAnother):
        actions.register_defect(software=world.software, number=defect.number, title="", by=paula, now=NOW)


def test_a_version_is_taken_once_and_sorts_by_its_numbers(world: World, paula: User) -> None:
    for version in ("21.4R3-S10", "21.4R3-S9"):
        _draft(world, paula, version=version, line="21.4R3")
    with pytest.raises(errors.VersionTaken):
        _draft(world, paula, version="21.4R3-S9")
    with pytest.raises(InvalidVersion):
        _draft(world, paula, version="...")
    newest_first = Release.objects.order_by("-sort_key", "pk").values_list("version", flat=True)
    assert list(newest_first) == ["21.4R3-S10", "21.4R3-S9", "21.4R3-S5"]
    assert world.software.lines.count() == 1


def test_a_line_that_is_new_is_made(world: World, paula: User) -> None:
    draft = _draft(world, paula, version="22.1R1", kind=ReleaseKind.UPGRADE, line="22.1R1", applies_to=[])
    assert draft.line.name == "22.1R1"


@pytest.mark.clause("C42")
def test_a_release_carries_a_manifest_with_digests(world: World, paula: User) -> None:
    line = actions.ManifestLine(path="bin/pathkeeper", size=71, sha256="0" * 64)
    draft = _draft(world, paula, manifest=[line])
    assert draft.files.get().path == "bin/pathkeeper"


def test_publishing_and_what_follows_stand_or_fall_together(
    world: World, paula: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*, release: Release, by: User, now: datetime) -> None:
        raise RuntimeError

    draft = _draft(world, paula, fixes=_defect(world, paula))
    monkeypatch.setattr(RELEASE_PUBLISHED, "_functions", [fails])
    with pytest.raises(RuntimeError):
        actions.publish_release(release=draft, by=paula, now=NOW)
    draft.refresh_from_db()
    assert draft.state == ReleaseState.DRAFT


def test_a_withdrawal_has_a_reason(world: World, paula: User, sam: User) -> None:
    with pytest.raises(errors.ReasonNeeded):
        actions.withdraw_release(release=world.release, reason=" ", by=paula, now=NOW)
    with pytest.raises(errors.NotAllowed):
        actions.withdraw_release(release=world.release, reason="Leaks.", by=sam, now=NOW)
    gone = actions.withdraw_release(release=world.release, reason="Leaks.", by=paula, now=NOW)
    assert (gone.state, gone.withdrawn_at) == (ReleaseState.WITHDRAWN, NOW)
    with pytest.raises(errors.WrongState):
        actions.withdraw_release(release=world.release, reason="Leaks.", by=paula, now=NOW)


@pytest.mark.clause("C2")
def test_software_is_registered_with_its_statement_of_work(
    paula: User, ada: User, acme: Organisation
) -> None:
    values: dict[str, Any] = {
        "name": "CGN Log Exporter",
        "slug": "cgn-log-exporter",
        "sow_reference": "SOW-2025-3",
        "deliverable": "Export of translation logs",
        "end_users": [acme],
        "now": NOW,
    }
    with pytest.raises(errors.NotAllowed):
        actions.register_software(**values, by=ada)
    assert list(actions.register_software(**values, by=paula).end_users.all()) == [acme]
    with pytest.raises(errors.VersionTaken):
        actions.register_software(**values, by=paula)


# Acceptance


@pytest.mark.clause("C34", "C42")
def test_accepting_a_release_moves_its_line_forward_and_keeps_the_history(
    world: World, alice: User, paula: User
) -> None:
    patch = _draft(world, paula, fixes=_defect(world, paula))
    actions.publish_release(release=patch, by=paula, now=NOW)
    later = NOW + timedelta(hours=1)
    acceptance = actions.accept_release(release=patch, by=alice, now=later)
    mine = Acceptance.objects.filter(organisation=acceptance.organisation)
    assert mine.current().get().release == patch
    assert mine.get(release=world.release).superseded_at == later
    with pytest.raises(errors.AlreadyAccepted):
        actions.accept_release(release=patch, by=alice, now=later)


def test_another_line_keeps_its_own_current_release(world: World, alice: User, paula: User) -> None:
    upgrade = _draft(world, paula, version="22.1", kind=ReleaseKind.UPGRADE, line="22.1", applies_to=[])
    actions.publish_release(release=upgrade, by=paula, now=NOW)
    acceptance = actions.accept_release(release=upgrade, by=alice, now=NOW)
    assert Acceptance.objects.current().filter(organisation=acceptance.organisation).count() == 2


def test_only_a_technical_contact_of_whom_it_was_made_for_accepts_what_is_published(
    world: World, alice: User, anna: User, ingrid: User, paula: User
) -> None:
    draft = _draft(world, paula, fixes=_defect(world, paula))
    for by, error in ((anna, errors.NotAllowed), (paula, errors.NotAllowed), (alice, errors.NotAcceptable)):
        with pytest.raises(error):
            actions.accept_release(release=draft, by=by, now=NOW)
    with pytest.raises(errors.NotAcceptable):
        actions.accept_release(release=world.release, by=ingrid, now=NOW)


def test_acceptance_is_told_to_the_apps_above(
    world: World, alice: User, paula: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Acceptance] = []
    monkeypatch.setattr(
        RELEASE_ACCEPTED, "_functions", [lambda *, acceptance, by, now: told.append(acceptance)]
    )
    patch = _draft(world, paula, fixes=_defect(world, paula))
    actions.publish_release(release=patch, by=paula, now=NOW)
    assert told == []
    assert [actions.accept_release(release=patch, by=alice, now=NOW)] == told


@pytest.mark.django_db(transaction=True)
def test_two_acceptances_at_the_same_instant_leave_one_current(
    world: World, alice: User, paula: User
) -> None:
    defect = _defect(world, paula)
    patches = [_draft(world, paula, version=f"21.4R3-S5.{n}", fixes=defect) for n in (1, 2, 3, 4)]
    for patch in patches:
        actions.publish_release(release=patch, by=paula, now=NOW)

    def accept(patch: Release) -> None:
        try:
            actions.accept_release(release=patch, by=alice, now=NOW)
        finally:
            connection.close()

    threads = [threading.Thread(target=accept, args=[patch]) for patch in patches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    mine = Acceptance.objects.filter(organisation=world.contract.end_user)
    assert (mine.count(), mine.current().count()) == (5, 1)


# The database


def test_the_database_refuses_two_current_acceptances_on_a_line(world: World, alice: User) -> None:
    other = factories.ReleaseFactory.make(line=world.line, version="21.4R3-S4", published_by=alice.acting)
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        factories.accept(world.contract.end_user, other, alice)
    assert errors.violated(refusal.value) == "contracts_acceptance_is_current_once_per_line"


def test_the_database_refuses_an_acceptance_that_ends_before_it_begins(world: World) -> None:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        Acceptance.objects.update(superseded_at=factories.LONG_AGO - timedelta(days=1))
    assert "superseded_after_accepted" in errors.violated(refusal.value)


def test_the_database_refuses_a_second_acceptance_of_a_release(world: World, alice: User) -> None:
    Acceptance.objects.update(superseded_at=NOW)
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        factories.accept(world.contract.end_user, world.release, alice)
    assert errors.violated(refusal.value) == "contracts_acceptance_of_a_release_is_once"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"kind": "potion"}, "kind_is_known"),
        ({"state": "asleep"}, "state_is_known"),
        ({"published_at": None}, "published_names_when_and_by_whom"),
        ({"kind": "patch"}, "published_patch_names_its_defect"),
        ({"kind": "update"}, "published_update_has_no_new_features"),
        ({"state": "withdrawn"}, "withdrawn_names_when_and_why"),
    ],
)
def test_the_database_refuses_a_release_that_makes_no_sense(
    changes: dict[str, Any], sentence: str, world: World
) -> None:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        Release.objects.filter(pk=world.release.pk).update(**changes)
    assert sentence in errors.violated(refusal.value)


@pytest.mark.parametrize("digest", ["", "0" * 63, "G" * 64])
def test_the_database_refuses_a_digest_that_is_none(digest: str, world: World) -> None:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        ReleaseFile.objects.create(release=world.release, path="a", size=1, sha256=digest)
    assert "sha256_is_64_hex_digits" in errors.violated(refusal.value)


def test_the_database_refuses_software_without_its_statement_of_work(world: World) -> None:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        Software.objects.update(sow_reference="")
    assert "names_its_sow_and_deliverable" in errors.violated(refusal.value)
