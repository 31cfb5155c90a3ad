"""What is typed about cases, before an action sees it."""

import pytest
from django.core.exceptions import ValidationError

from cases.forms import LineField, is_mostly_not_latin, no_control_characters
from cases.forms.fields import TextField


@pytest.mark.clause("C50b")
@pytest.mark.parametrize(
    ("text", "hints"),
    [
        ("", False),
        ("장애", False),
        ("Sessions flap after the failover", False),
        ("Sessions flap after 장애 전환", False),
        ("장애 전환 후 세션 테이블이 비어 있음", True),
        ("장애 전환 후 세션 테이블이 비어 (failover)", True),
        ("الجلسات تنقطع بعد التحويل", True),
        ("Überlastete Knoten, gefährliche Zustände", False),
        ("１２３４５６７８ 9999999", False),
    ],
)
def test_mostly_means_more_than_half_of_the_letters(text: str, *, hints: bool) -> None:
    assert is_mostly_not_latin(text) is hints


@pytest.mark.parametrize("sign", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\x9b"])
def test_a_control_character_is_named_with_its_line(sign: str) -> None:
    with pytest.raises(ValidationError, match=rf"U\+{ord(sign):04X} in line 2"):
        no_control_characters(f"one\ntwo {sign}")


@pytest.mark.parametrize(
    "text", ["tab\there", "line\nline", "return\r\nline", "emoji 🔥", "\u202ertl\u202c", "\u200d"]
)
def test_what_text_is_made_of_is_no_control_character(text: str) -> None:
    no_control_characters(text)
    assert TextField().clean(f"before {text} after").startswith("before ")


def test_a_line_stays_one_line_and_a_text_has_the_line_ends_of_unix() -> None:
    assert LineField().clean("a\r\nb\u2028c") == "a b c"
    assert TextField().clean("a\r\nb") == "a\nb"
