"""The shipped figures, against the support practice written out by hand."""

import pytest

from entitlements.defaults import DEFAULT_ACK_WAITS, DEFAULT_RUNGS, DEFAULT_TARGETS

H, DAY = 60, 8 * 60


@pytest.mark.clause("C22")
def test_the_ladder_is_that_of_the_support_practice() -> None:
    assert set(DEFAULT_RUNGS) == {
        ("P1", 1, 0, "24x7"),
        ("P1", 2, 1 * H, "24x7"),
        ("P1", 3, 4 * H, "24x7"),
        ("P1", 4, 24 * H, "24x7"),
        ("P2", 1, 0, "24x7"),
        ("P2", 2, 4 * H, "24x7"),
        ("P2", 3, 24 * H, "24x7"),
        ("P2", 4, 48 * H, "24x7"),
        ("P3", 1, 72 * H, "business"),
        ("P3", 2, 96 * H, "business"),
        ("P4", 1, 96 * H, "business"),
    }
    assert dict(DEFAULT_ACK_WAITS) == {"P1": 15, "P2": 30}


@pytest.mark.clause("C24")
def test_the_targets_are_those_of_the_support_practice() -> None:
    assert set(DEFAULT_TARGETS) == {
        ("P1", 1 * H, "24x7", 4 * H, "24x7"),
        ("P2", 1 * H, "24x7", 1 * DAY, "business"),
        ("P3", 8 * H, "business", 3 * DAY, "business"),
        ("P4", 24 * H, "business", 5 * DAY, "business"),
    }
