"""The order of free-text versions."""

import re
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contracts.versions import SORT_KEY_LENGTH, VERSION_LENGTH, InvalidVersion, sort_key

LADDERS = [
    [
        "21.4R3",
        "21.4R3-S5",
        "21.4R3-S5.1",
        "21.4R3-S5.4",
        "21.4R3-S5.10",
        "21.4R3-S6",
        "21.4R3-S10",
        "22.1R1",
    ],
    ["5.7R1", "5.7R2", "5.7R10", "5.10R1"],
    ["2.6.1-dev", "2.6.1-alpha", "2.6.1-beta", "2.6.1-beta2", "2.6.1-rc1", "2.6.1-rc10", "2.6.1", "2.6.1-p3"],
    ["2.6.1-p3", "2.6.1-p10", "2.6.1.1", "2.6.2", "2.10", "10.2", "10.10"],
    ["2025.12", "2026.03", "2026.3.1", "2026.11"],
    ["1.0.2", "1.0.2a", "1.0.2b", "1.0.2.1"],
    ["alpha", "beta", "one", "two", "1", "2"],
    ["가", "나", "1"],
]

any_text = st.text(max_size=VERSION_LENGTH + 2)
pieces = st.integers(0, 10**6).map(str) | st.sampled_from(
    ["R", "S", "p", "rc", "beta", "v", "Build", "판", "é"]
)
separators = st.sampled_from([".", "-", "_", " ", "+", ""])
versions = st.lists(st.tuples(pieces, separators), min_size=1, max_size=7).map(
    lambda parts: "".join(piece + separator for piece, separator in parts)
)


def key_or_none(text: str) -> str | None:
    try:
        return sort_key(text)
    except InvalidVersion:
        return None


@pytest.mark.clause("C42")
@pytest.mark.parametrize("ladder", LADDERS, ids=lambda ladder: str(ladder[0]))
def test_versions_sort_as_people_count_them(ladder: list[str]) -> None:
    assert all(sort_key(older) < sort_key(newer) for older, newer in pairwise(ladder))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2026.03", "2026.3"),
        ("v2.6.1", "2.6.1"),
        ("21.4r3-s5", "21.4R3-S5"),
        ("2.6.1-p3", "2.6.1p3"),
        ("0", "00"),
    ],
)
def test_two_spellings_of_a_version_sort_alike(one: str, other: str) -> None:
    assert sort_key(one) == sort_key(other)


@pytest.mark.parametrize(
    "text",
    ["", " ", "---", "\n", "1\x00", "1.2\n", "1\x7f", "1\u202e2", "1\u20282", "1\ud800", "1" * 65, "é" * 65],
)
def test_what_is_no_version_is_refused_with_a_message(text: str) -> None:
    with pytest.raises(InvalidVersion) as refused:
        sort_key(text)
    assert str(refused.value).startswith("A version ")


def test_the_longest_version_is_accepted() -> None:
    assert sort_key("9" * VERSION_LENGTH) > sort_key("9" * (VERSION_LENGTH - 1))


@given(st.integers(0, 10**30), st.integers(0, 10**30))
def test_numeric_parts_compare_as_numbers(left: int, right: int) -> None:
    assert (sort_key(f"21.4R3-S{left}") < sort_key(f"21.4R3-S{right}")) == (left < right)


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=6),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=6),
)
def test_dotted_numbers_compare_part_by_part(left: list[int], right: list[int]) -> None:
    def key(parts: list[int]) -> str:
        return sort_key(".".join(map(str, parts)))

    assert (key(left) < key(right)) == (left < right)
    assert (key(left) == key(right)) == (left == right)


@given(st.lists(any_text | versions, max_size=12))
def test_keys_sort_in_the_database_as_they_do_here(texts: list[str]) -> None:
    keys = [key for key in map(key_or_none, texts) if key is not None]
    # collation "C" compares bytes
    assert sorted(keys) == sorted(keys, key=lambda key: key.encode())
    assert all(len(key) <= SORT_KEY_LENGTH and "\x00" not in key for key in keys)


@given(versions, st.sampled_from(["rc1", "beta", "alpha2", "dev"]))
def test_a_stage_before_release_sorts_before_the_bare_version(version: str, stage: str) -> None:
    assert sort_key(f"{version}-{stage}") < sort_key(version)


@given(versions, st.integers(0, 99), st.sampled_from(["", "p", "S"]))
def test_any_other_addition_sorts_after_the_bare_version(version: str, number: int, word: str) -> None:
    assert sort_key(version) < sort_key(f"{version}-{word}{number}")


@given(versions, versions, st.integers(0, 99))
def test_what_both_versions_begin_with_does_not_change_their_order(
    left: str, right: str, number: int
) -> None:
    def sign(one: str, other: str) -> int:
        return (sort_key(one) > sort_key(other)) - (sort_key(one) < sort_key(other))

    # behind a number a leading v is a word like any other
    assume(not left.startswith("v") and not right.startswith("v"))
    assert sign(f"{number}-{left}", f"{number}-{right}") == sign(left, right)


@given(versions)
def test_letter_case_and_kind_of_separator_do_not_matter(version: str) -> None:
    assert sort_key(version.upper()) == sort_key(version.lower())
    assert sort_key(re.sub(r"[._+ -]", "_", version)) == sort_key(version)
