"""The Korean catalogue: complete, compiled, true to its source, and in use."""

import ast
import re
import string
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from gettext import GNUTranslations
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.translation.template import templatize

from accounts.models import User
from tests.conftest import SignIn

CATALOGUE = Path(settings.BASE_DIR) / "locale" / "ko" / "LC_MESSAGES" / "django.po"
# how the keys of a compiled catalogue say "in this context"
CONTEXT_MARK = "\x04"
# what one change may leave untranslated until its Korean follows
MAY_BE_EMPTY = 10
# where texts stand: the apps' code, and the templates
APPS = ("accounts", "cases", "contracts", "entitlements", "files", "notifications", "portal")
_MARKS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "gettext_noop"}
_CALL = re.compile(r"""(?<![\w.])(?:n?gettext|_)\(u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")
HANGUL = re.compile(r"[가-힣]")
_PERCENT = re.compile(r"%(?:\((?P<name>\w+)\))?[#0 +-]*\d*(?:\.\d+)?(?P<kind>[a-zA-Z%])")
_TAG = re.compile(r"</?[a-z]+>")
_LINE = re.compile(r'(?:(?P<word>msgctxt|msgid_plural|msgid|msgstr)(?:\[\d\])?\s+)?(?P<text>".*")$')


@dataclass
class Entry:
    """One entry of the catalogue as its source stands, keyword by keyword."""

    flags: str = ""
    words: dict[str, str] = field(default_factory=dict)

    @property
    def source(self) -> str:
        return self.words["msgid"]

    @property
    def korean(self) -> str:
        return self.words["msgstr"]

    @property
    def key(self) -> str:
        context = self.words.get("msgctxt")
        return self.source if context is None else f"{context}{CONTEXT_MARK}{self.source}"


def entries() -> Iterator[Entry]:
    """Every entry but the header. Raises: AssertionError for a line that is no catalogue's."""
    for block in CATALOGUE.read_text(encoding="utf-8").strip().split("\n\n"):
        entry, word = Entry(), ""
        for line in block.splitlines():
            if line.startswith("#,"):
                entry.flags += line
            if line.startswith("#"):
                continue
            match = _LINE.match(line)
            assert match, line
            word = match["word"] or word
            entry.words[word] = entry.words.get(word, "") + ast.literal_eval(match["text"])
        if entry.words.get("msgid"):
            yield entry


def placeholders(text: str, *, python_format: bool) -> Counter[str]:
    """What is filled in, and the tags around it; `%%` and lone braces are text."""
    found: Counter[str] = Counter(_TAG.findall(text))
    if python_format:
        found.update(m[0] for m in _PERCENT.finditer(text) if m["kind"] != "%")
    else:
        found.update(f"{{{name}}}" for _text, name, _spec, _turn in string.Formatter().parse(text) if name)
    return found


def compiled() -> dict[str, str]:
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        catalogue: dict[str | tuple[str, int], str] = GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {(key[0] if isinstance(key, tuple) else key): value for key, value in catalogue.items() if key}


def marked_in_code(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args and ast.unparse(node.func).split(".")[-1] in _MARKS:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def marked_in_template(path: Path) -> Iterator[str]:
    as_code = templatize(path.read_text(encoding="utf-8"))
    yield from (ast.literal_eval(found) for found in _CALL.findall(as_code))


def marked() -> set[str]:
    """Every text that is marked for translation, context or not; read without the gettext programs."""
    root = Path(settings.BASE_DIR)
    code = (path for app in APPS for path in (root / app).rglob("*.py") if "migrations" not in path.parts)
    templates = (path for path in (root / "templates").rglob("*") if path.suffix in {".html", ".txt"})
    return {text for path in code for text in marked_in_code(path)} | {
        text for path in templates for text in marked_in_template(path)
    }


def test_the_compiled_catalogue_was_made_from_the_source_beside_it() -> None:
    assert compiled() == {entry.key: entry.korean for entry in entries() if entry.korean}


def test_no_entry_stands_twice() -> None:
    assert [key for key, count in Counter(entry.key for entry in entries()).items() if count > 1] == []


def test_no_translation_was_only_guessed_by_a_tool() -> None:
    assert [entry.source for entry in entries() if "fuzzy" in entry.flags] == []


def test_nearly_everything_is_translated() -> None:
    empty = [entry.source for entry in entries() if not entry.korean.strip()]
    assert len(empty) <= MAY_BE_EMPTY, empty


def test_nine_of_ten_texts_of_the_portal_have_their_korean() -> None:
    """A text that nobody has extracted yet shows in English; this is the drift that is still allowed."""
    known = {entry.source for entry in entries() if entry.korean}
    texts = marked()
    unknown = sorted(texts - known)
    assert len(texts) > 1000
    assert len(unknown) <= len(texts) // 10, unknown


def test_every_translation_fills_in_what_its_source_fills_in() -> None:
    wrong = []
    for entry in entries():
        python_format = "python-format" in entry.flags
        # one form for every number: the plural's placeholders are the ones that it needs
        source = entry.words.get("msgid_plural", entry.source)
        if entry.korean and placeholders(source, python_format=python_format) != placeholders(
            entry.korean, python_format=python_format
        ):
            wrong.append((source, entry.korean))
    assert wrong == []


def test_the_source_names_no_machine_person_or_hour() -> None:
    text = CATALOGUE.read_text(encoding="utf-8")
    assert "#:" not in text
    assert not {
        name for name in ("POT-Creation-Date", "Last-Translator", "FULL NAME", "PACKAGE") if name in text
    }


@pytest.mark.django_db
def test_a_page_speaks_korean_to_somebody_who_chose_it(sign_in: SignIn, minsu: User) -> None:
    page = sign_in(minsu).get(reverse("home")).content.decode()
    assert '<html lang="ko"' in page
    with translation.override("ko"):
        frame = [
            translation.gettext(words)
            for words in ("Skip to the content", "Coverage", "Contracts", "Inbox", "Sign out", "Open cases")
        ]
    assert [words for words in frame if words not in page or not HANGUL.search(words)] == []


@pytest.mark.django_db
def test_the_sign_in_page_speaks_korean_to_a_korean_browser(client: Client) -> None:
    page = client.get(reverse("account_login"), headers={"accept-language": "ko-KR,ko;q=0.9,en;q=0.5"})
    text = page.content.decode()
    assert '<html lang="ko"' in text
    assert "로그인" in text
    assert "Sign in" not in text


@pytest.mark.django_db
def test_the_same_page_stays_english_for_everybody_else(sign_in: SignIn, alice: User) -> None:
    page = sign_in(alice).get(reverse("home")).content.decode()
    # the name of the language itself is offered in its own letters
    assert set(HANGUL.findall(page)) <= set("한국어")
