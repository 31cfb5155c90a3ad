"""Finding cases: by number, by the customer's own reference, and by words (C30, C31).

Words are looked up in the search columns, which one SQL function makes (cases/migrations): English stems, plain
words, identifiers whole and in parts, two-syllable grams of Korean, Chinese and Japanese. What a person typed
becomes terms here; each reaches the database as a parameter, so that no sign in it means anything there. Several
words match where all of them are in one case, not necessarily in one entry. A customer's search asks only the
index of public entries: it cannot touch a note."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.postgres.search import SearchQueryField, SearchVectorField
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Exists, Lookup, OuterRef, Q
from django.db.models.expressions import RawSQL
from django.db.models.sql.compiler import SQLCompiler

from accounts.models import User
from accounts.roles import Permission
from cases.models import Case, CaseEvent, CaseQuerySet

LONGEST_TEXT: Final = 400
MOST_TERMS: Final = 12
LONGEST_WORD: Final = 80
# A word in more cases than this is common: its hits are not collected, the list is walked newest first instead
RARE: Final = 3000

_CJK = r"\u1100-\u11FF\u3040-\u30FF\u3130-\u318F\u3400-\u4DBF\u4E00-\u9FFF\uAC00-\uD7AF"
_CJK_RUN = re.compile(f"[{_CJK}]+")
_PART = re.compile(r'"([^"]*)"|(\S+)')
_IDENTIFIER = re.compile(r"[a-z0-9]+(?:[._:/@-][a-z0-9]+)+")
_SEPARATOR = re.compile(r"[._:/@-]")
_NUMBER = re.compile(r"(\d{4})-?(\d{4})-?(\d{4,8})")

_WORD = (
    "(plainto_tsquery('pg_catalog.english', portal_unaccent(%s))"
    " || plainto_tsquery('pg_catalog.simple', portal_unaccent(%s)))"
)
_PHRASE = "phraseto_tsquery('pg_catalog.simple', portal_unaccent(%s))"
_LEFT_OUT = "numnode(plainto_tsquery('pg_catalog.english', portal_unaccent(%s))) = 0"
_LEXEME = "%s::tsquery"


@SearchVectorField.register_lookup
class Matches(Lookup[Any]):
    """`@@` with a query that is an expression; Django's own would parse it as text."""

    lookup_name = "matches"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, column_values = self.process_lhs(compiler, connection)
        query, query_values = self.process_rhs(compiler, connection)
        return f"{column} @@ {query}", (*column_values, *query_values)


@dataclass(frozen=True)
class Term:
    """One thing to be found: SQL of type tsquery, and its parameters."""

    sql: str
    values: tuple[str, ...]
    # a plain word, which may be one that English leaves out, such as "the"
    word: str = ""

    def __and__(self, other: "Term") -> "Term":
        return Term(f"({self.sql} && {other.sql})", self.values + other.values)

    def __or__(self, other: "Term") -> "Term":
        return Term(f"({self.sql} || {other.sql})", self.values + other.values)

    @property
    def expression(self) -> RawSQL:
        # words come as parameters only; the text is of this module
        return RawSQL(self.sql, self.values, output_field=SearchQueryField())  # noqa: S611  # nosec B611


@dataclass(frozen=True)
class Found:
    """What a search found: the one whose number or reference was typed, then others, newest activity first."""

    exact: Case | None
    cases: list[Case]
    has_more: bool


def clean(text: str) -> str:
    """What can be searched of what was typed: composed, without controls, the first 400 characters."""
    composed = unicodedata.normalize("NFC", text[: LONGEST_TEXT * 4])
    kept = "".join(sign if unicodedata.category(sign)[0] != "C" else " " for sign in composed)
    return " ".join(kept[:LONGEST_TEXT].split())


def number_in(text: str) -> str | None:
    """The case number that was typed, with dashes or without, or None (C30)."""
    found = _NUMBER.fullmatch("".join(clean(text).split()))
    return "-".join(found.groups()) if found and found[0].isascii() else None


def exact(user: User, text: str) -> Case | None:
    """The visible case with this number or this own reference; of several, the one with the newest activity."""
    wanted = clean(text)
    if not wanted:
        return None
    visible = Case.objects.visible_to(user).for_list()
    number = number_in(wanted)
    if number is not None:
        case = visible.filter(number=number).first()
        if case is not None:
            return case
    return visible.of_reference(wanted).order_by("-updated_at", "-pk").first()


def find(user: User, text: str, *, limit: int = 50) -> Found:
    """The visible cases that match, the exact one first, then by newest activity; at most `limit` of them."""
    first = exact(user, text)
    if not terms(text):
        return Found(first, [first] if first else [], has_more=False)
    rows = matching(Case.objects.visible_to(user), user, text).for_list().order_by("-updated_at", "-pk")
    found = list(rows[: limit + 1])
    others = [case for case in found[:limit] if first is None or case.pk != first.pk]
    return Found(first, [first, *others] if first else others, has_more=len(found) > limit)


def matching(cases: CaseQuerySet, user: User, text: str) -> CaseQuerySet:
    """Those of `cases` that have every word of the text, the number or the reference that it is.

    The plan is chosen here and not left to luck: the hits of rare words are collected by their index and looked
    at one by one, common words are tested case by case while the list is walked in its own order."""
    asked = terms(text)
    if not asked:
        return cases.none()
    sees_notes = user.can(Permission.CASE_VIEW_ALL)
    collected = _collect(asked, sees_notes)
    rare = [hits for _term, hits in collected if hits is not None]
    by_words = Q(pk__in=set.intersection(*rare)) if rare else Q()
    for term, hits in collected:
        if hits is None:
            by_words &= _has(term, sees_notes)
    return cases.filter(by_words | _named(text))


def _named(text: str) -> Q:
    """The case whose number it is, and those whose reference it is."""
    number = number_in(text)
    named = Q(pk__in=list(Case.objects.of_reference(clean(text)).values_list("pk", flat=True)[:RARE]))
    return named | Q(number=number) if number else named


def _collect(asked: Sequence[Term], sees_notes: bool) -> list[tuple[Term, set[int] | None]]:
    """By term, the cases that have it, or None where there are too many to collect. One query for all.

    Words that English leaves out are left out here too, unless there is nothing else."""
    places = [("cases_case", "id", "true"), ("cases_caseevent", "case_id", "NOT is_internal")]
    if sees_notes:
        places.append(("cases_caseevent", "case_id", "is_internal"))
    parts: list[str] = []
    values: list[str] = []
    for at, term in enumerate(asked):
        if term.word:
            parts.append(f"(SELECT {at}, 0 WHERE {_LEFT_OUT})")
            values.append(term.word)
        for table, column, condition in places:
            # names of ours and numbers; what somebody typed is among the parameters
            parts.append(
                f"(SELECT {at}, {column} FROM {table} WHERE {condition} AND search @@ {term.sql} LIMIT {RARE + 1})"  # noqa: S608  # nosec B608
            )
            values += term.values
    found: list[set[int]] = [set() for _term in asked]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), values)
        for at, pk in cursor.fetchall():
            found[at].add(pk)
    kept = [at for at, hits in enumerate(found) if 0 not in hits] or range(len(asked))
    return [(asked[at], found[at] - {0} if len(found[at]) <= RARE else None) for at in kept]


def _has(term: Term, sees_notes: bool) -> Q:
    events = CaseEvent.objects.filter(case=OuterRef("pk"), search__matches=term.expression)
    if not sees_notes:
        events = events.filter(is_internal=False)
    return Q(search__matches=term.expression) | Q(Exists(events))


def terms(text: str) -> list[Term]:
    """What is asked for: phrases in double quotes, identifiers, words, and grams; nothing in signs alone."""
    found = []
    for phrase, word in _PART.findall(clean(text)):
        term = _phrase(phrase) if phrase else _word(word)
        if term is not None and term not in found:
            found.append(term)
    return found[:MOST_TERMS]


def _phrase(text: str) -> Term | None:
    if not any(sign.isalnum() for sign in text):
        return None
    if _CJK_RUN.search(text):
        return _all(_words(text))
    return Term(_PHRASE, (text,))


def _word(text: str) -> Term | None:
    """One word without spaces; pairs of syllables, identifiers and plain words are found each in their way."""
    word = text[:LONGEST_WORD]
    if not any(sign.isalnum() for sign in word):
        return None
    runs = _CJK_RUN.findall(word)
    if runs:
        grams = dict.fromkeys(run[at : at + 2] for run in runs for at in range(max(1, len(run) - 1)))
        # one syllable by itself: words that begin with it
        found = [_lexeme(gram, ":*" if len(gram) == 1 else "") for gram in grams]
        return _all([*found, *_words(_CJK_RUN.sub(" ", word))])
    plain = _without_accents(word).lower()
    identifiers = _IDENTIFIER.findall(plain)
    if identifiers:
        return _all([*map(_identifier, identifiers), *_words(_IDENTIFIER.sub(" ", plain))])
    return Term(_WORD, (word, word), word)


def _words(text: str) -> list[Term]:
    return [term for term in map(_word, text.split()) if term is not None]


def _without_accents(word: str) -> str:
    """As the search columns have it, near enough to tell an identifier."""
    return "".join(sign for sign in unicodedata.normalize("NFD", word) if not unicodedata.combining(sign))


def _identifier(word: str) -> Term:
    """`21.4R3` is found in `21.4R3-S5`; `rtr-01` in `core-rtr-01.sel` too, by its parts.

    Figures alone, such as an address, are not taken apart: 10.0.0.1 is not 10.0.1.0."""
    whole = _lexeme(word, ":*")
    parts = [part for part in _SEPARATOR.split(word) if part]
    if all(part.isdigit() for part in parts):
        return whole
    return whole | _all([_lexeme(part) for part in dict.fromkeys(parts)])


def _lexeme(word: str, ending: str = "") -> Term:
    quoted = word.replace("\\", "\\\\").replace("'", "''")
    return Term(_LEXEME, (f"'{quoted}'{ending}",))


def _all(parts: Sequence[Term]) -> Term:
    whole = parts[0]
    for part in parts[1:]:
        whole &= part
    return whole
