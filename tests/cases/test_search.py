"""Finding cases by number, by reference, by words."""

import random
import string
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from cases import search
from cases.actions import add_note, reply
from cases.models import Case
from tests.factories import NOW

pytestmark = pytest.mark.django_db
Open = Callable[..., Case]
HANGUL = "".join(map(chr, range(0xAC00, 0xD7A4)))
LATIN = string.ascii_lowercase + string.digits


def numbers(user: User, text: str) -> list[str]:
    return [case.number for case in search.find(user, text).cases]


@pytest.mark.clause("C30")
@pytest.mark.parametrize("shape", ["{}", "  {} ", "{}\n", "\0{}"])
def test_a_case_is_found_by_its_number(alice: User, open_case: Open, shape: str) -> None:
    case = open_case()
    assert search.exact(alice, shape.format(case.number)) == case
    assert search.exact(alice, shape.format(case.number.replace("-", ""))) == case
    assert numbers(alice, case.number) == [case.number]


@pytest.mark.clause("C31")
def test_a_case_is_found_by_the_customers_own_reference_in_any_case_of_letters(
    alice: User, sam: User, open_case: Open
) -> None:
    case = open_case(customer_reference="Inc-0042 117ß")
    open_case(customer_reference="")
    assert search.exact(alice, "inC-0042 117ß") == case
    assert search.exact(sam, "INC-0042 117ß") == case
    assert numbers(alice, "inc-0042 117ß") == [case.number]


@pytest.mark.clause("C31")
def test_a_reference_used_twice_finds_both_and_names_the_one_with_the_newest_activity(
    alice: User, open_case: Open
) -> None:
    older = open_case(customer_reference="INC-1")
    newer = open_case(customer_reference="INC-1", now=NOW + timedelta(minutes=1))
    assert search.exact(alice, "INC-1") == newer
    assert numbers(alice, "INC-1") == [newer.number, older.number]


def test_the_exact_number_comes_before_a_case_that_mentions_it(alice: User, open_case: Open) -> None:
    first = open_case()
    second = open_case(description=f"Same as {first.number}", now=NOW + timedelta(hours=1))
    assert numbers(alice, first.number) == [first.number, second.number]


@pytest.mark.attack("search as an oracle")
def test_a_stranger_finds_nothing(mallory: User, alice: User, open_case: Open) -> None:
    case = open_case(customer_reference="INC-9", description="the spooler jams")
    for text in (case.number, "INC-9", "spooler"):
        assert numbers(mallory, text) == []
        assert numbers(alice, text) == [case.number]


@pytest.mark.parametrize(
    ("description", "text"),
    [
        ("Sessions are dropped on both nodes", "session drop"),
        ("Sessions are dropped on both nodes", "NODES SESSIONS"),
        ("Sessions are dropped on both nodes", "the nodes"),
        ("Sessions are dropped on both nodes", '"dropped on both"'),
        ("running 21.4R3-S5.4 since May", "21.4R3-S5.4"),
        ("running 21.4R3-S5.4 since May", "21.4r3"),
        ("running PathKeeper/21.4R3-S5.4 since May", "21.4R3-S5.4"),
        ("core-rtr-01.sel.example is down", "core-rtr-01.sel"),
        ("core-rtr-01.sel.example is down", "rtr-01"),
        ("rpd_crash seen twice", "rpd_crash"),
        ("rpd_crash seen twice", "(rpd_crash)"),
        ("exporter: E_SPOOL_FULL 100%", "e_spool_full"),
        ("see PR1234567", "pr1234567"),
        ("from 10.0.0.1 to 10.2.0.1", "10.0.0.1"),
        ("Le café de la gare", "cafe"),
        ("caf\u00e9.example answers", "cafe\u0301.example"),
        ("접속장애접수가 늦습니다", "장애"),
        ("접속장애접수가 늦습니다", "장애접수"),
        ("접속 장애 접수", '"장애 접수"'),
        ("라우터 망이 끊겼습니다", "망"),
        ("\u1112\u1161\u11ab\u1100\u116e\u11a8 고객", "한국"),
        ("rpd_crash장애 21.4R3", "rpd_crash 장애"),
        ("exporter가 멈췄습니다", "exporter"),
        ("exporter가 멈췄습니다", "Exporter가"),
        ("日本語の障害", "障害"),
    ],
)
def test_words_identifiers_phrases_and_syllables_are_found(
    alice: User, open_case: Open, description: str, text: str
) -> None:
    case = open_case(description=description)
    open_case(description="Nothing of the kind", synopsis="Another matter")
    assert numbers(alice, text) == [case.number]


@pytest.mark.parametrize(
    ("description", "text"),
    [
        ("from 10.0.0.1 on", "10.0.1.0"),
        ("dropped on both nodes", '"both dropped"'),
        ("장비 애로", "장애"),
        ("21.4R3-S5", "21.4R3-S6"),
        ("one word here", "one missing"),
    ],
)
def test_what_is_not_there_is_not_found(alice: User, open_case: Open, description: str, text: str) -> None:
    open_case(description=description)
    assert numbers(alice, text) == []


def test_words_may_stand_in_different_entries_of_one_case(alice: User, sam: User, open_case: Open) -> None:
    case = open_case(description="The exporter stalls")
    reply(case=case, body="Please send the inode table", by=sam, now=NOW)
    open_case(description="Another exporter")
    assert numbers(alice, "exporter inode") == [case.number]


@pytest.mark.attack("search as an oracle")
def test_an_internal_note_is_found_by_staff_and_never_by_the_customer(
    alice: User, sam: User, open_case: Open
) -> None:
    case = open_case()
    add_note(case=case, body="Known as the walrus defect", by=sam, now=NOW)
    assert numbers(sam, "walrus") == [case.number]
    assert numbers(alice, "walrus") == []
    with CaptureQueriesContext(
        connection,
    ) as asked:
        search.find(alice, "walrus")
    notes = [q["sql"] for q in asked if "is_internal" in q["sql"] and "NOT is_internal" not in q["sql"]]
    assert all("AND is_internal" not in sql for sql in notes)


def test_newest_activity_comes_first_and_the_rest_is_announced(
    alice: User, sam: User, open_case: Open
) -> None:
    cases = [open_case(description="walrus", now=NOW + timedelta(minutes=n)) for n in range(3)]
    reply(case=cases[0], body="looking", by=sam, now=NOW + timedelta(hours=1))
    found = search.find(alice, "walrus", limit=2)
    assert [case.pk for case in found.cases] == [cases[0].pk, cases[2].pk]
    assert found.has_more
    assert not search.find(alice, "walrus", limit=3).has_more


def test_a_common_word_walks_the_list_and_finds_the_same(
    alice: User, sam: User, open_case: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = open_case(description="walrus and penguin")
    open_case(description="walrus alone")
    split = open_case(description="walrus again", now=NOW + timedelta(minutes=5))
    reply(case=split, body="a penguin as well", by=sam, now=NOW + timedelta(minutes=6))
    expected = [split.number, both.number]
    assert numbers(alice, "walrus penguin") == expected
    for rare in (2, 0):
        monkeypatch.setattr(search, "RARE", rare)
        assert numbers(alice, "walrus penguin") == expected


@pytest.mark.attack("SQL in every parameter")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "&",
        "! | & ( ) : * <-> ''",
        "a' | 'b",
        "\\",
        "'\\''",
        "\0\0",
        "\x1b[31m",
        '"',
        '""',
        '" "',
        "%s %(x)s %",
        "x" * 10_000,
        "장" * 10_000,
        "a.b-" * 3_000,
        "nowhere " * 2_000,
        "'); DROP TABLE cases_case; --",
        "\u202eabc",
        "🦭 🐧",
        "\ud800",
        "0" * 50,
        "'" * 400,
    ],
)
def test_whatever_is_typed_is_only_text(alice: User, open_case: Open, text: str) -> None:
    open_case(description="plain words")
    assert search.find(alice, text).cases == []


@pytest.mark.parametrize("kind", ["korean", "one long word", "random", "identifiers"])
def test_200_kb_of_anything_can_be_searched_and_do_not_fail_the_insert(
    alice: User, open_case: Open, kind: str
) -> None:
    signs = random.Random(7)

    def word(length: int, letters: str) -> str:
        return "".join(signs.choices(letters, k=length))

    text = {
        "korean": lambda: " ".join(word(4, HANGUL) for _ in range(39_000)),
        "one long word": lambda: word(199_000, HANGUL),
        "random": lambda: " ".join(word(4, LATIN) for _ in range(39_000)),
        "identifiers": lambda: " ".join(
            f"{word(4, LATIN)}.{word(4, LATIN)}-{word(4, LATIN)}" for _ in range(13_000)
        ),
    }
    case = open_case(description="walrus장애 " + text[kind]())
    assert numbers(alice, "walrus") == [case.number]
    assert numbers(alice, "장애") == [case.number]


def test_a_search_asks_few_questions_whatever_is_typed(alice: User, open_case: Open) -> None:
    open_case(description="walrus and penguin on ice")
    with CaptureQueriesContext(connection) as asked:
        search.find(alice, '2026-1122-0001 walrus "penguin on" 21.4R3 장애 ice floe')
    assert len(asked) <= 8
