"""What is accepted: which files, how, and which release of a line is the current one."""

from datetime import timedelta

import pytest

from accounts.models import User
from contracts import actions, errors
from contracts.integrity import manifest_digest
from contracts.kinds import AcceptedBy
from contracts.models import Acceptance, Release, ReleaseFile
from tests import factories
from tests.conftest import World
from tests.factories import LONG_AGO, NOW

A = "a" * 64


@pytest.fixture
def newer(world: World, paula: User) -> Release:
    row = factories.ReleaseFactory.make(line=world.line, version="21.4R3-S10", published_by=paula.acting)
    ReleaseFile.objects.create(release=row, path="bin/pathkeeper", size=9, sha256=A)
    return row


@pytest.mark.clause("C34", "C42")
def test_an_acceptance_freezes_who_when_how_and_which_files(newer: Release, alice: User) -> None:
    digest = manifest_digest([("bin/pathkeeper", A)])
    row = actions.accept_release(release=newer, manifest_sha256=digest, by=alice, now=NOW)
    assert (row.accepted_by, row.accepted_at, row.means) == (alice.acting, NOW, AcceptedBy.DECLARATION)
    assert (row.file_count, row.manifest_sha256) == (1, digest)


@pytest.mark.parametrize("shown", ["", "b" * 64, "nonsense"])
def test_other_files_than_those_shown_are_not_accepted(shown: str, newer: Release, alice: User) -> None:
    with pytest.raises(errors.ManifestChanged):
        actions.accept_release(release=newer, manifest_sha256=shown, by=alice, now=NOW)
    assert not newer.acceptances.exists()


@pytest.mark.clause("C42")
def test_accepting_an_older_release_covers_it_and_moves_nothing_back(
    newer: Release, world: World, alice: User, paula: User
) -> None:
    actions.accept_release(release=newer, by=alice, now=NOW)
    older = factories.ReleaseFactory.make(line=world.line, version="21.4R3-S9", published_by=paula.acting)
    row = actions.accept_release(release=older, by=alice, now=NOW + timedelta(days=1))
    assert row.superseded_at == NOW + timedelta(days=1)
    assert Acceptance.objects.current().get(organisation=world.contract.end_user).release == newer


def test_a_withdrawn_release_does_not_stay_the_current_one_when_an_older_is_accepted(
    newer: Release, world: World, alice: User, paula: User
) -> None:
    actions.accept_release(release=newer, by=alice, now=NOW)
    actions.withdraw_release(release=newer, reason="Leaks.", by=paula, now=NOW)
    older = factories.ReleaseFactory.make(line=world.line, version="21.4R3-S9", published_by=paula.acting)
    actions.accept_release(release=older, by=alice, now=NOW)
    assert Acceptance.objects.current().get(organisation=world.contract.end_user).release == older
    assert Acceptance.objects.get(release=newer).superseded_at == NOW


def test_the_history_keeps_its_first_acceptance(newer: Release, world: World, alice: User) -> None:
    actions.accept_release(release=newer, by=alice, now=NOW)
    first = Acceptance.objects.get(organisation=world.contract.end_user, release=world.release)
    assert (first.accepted_at, first.superseded_at) == (LONG_AGO, NOW)
