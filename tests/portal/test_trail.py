"""The audit trail in words."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone, translation

from portal.pieces.trail import ACTIONS, audit_action, audit_detail

APPS = ("portal", "cases", "entitlements", "contracts", "notifications", "files", "accounts")


def _codes() -> Iterator[str]:
    """Every code that is written out where something is recorded."""
    for app in APPS:
        for path in (Path(settings.BASE_DIR) / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in ("audit.record", "record"):
                    first = node.args[0] if node.args else None
                    if isinstance(first, ast.Constant) and isinstance(first.value, str):
                        yield first.value


def test_whatever_is_recorded_has_words_of_its_own() -> None:
    codes = set(_codes())
    assert len(codes) > 20
    assert codes - set(ACTIONS) == set()


def test_a_code_without_words_is_still_no_code() -> None:
    assert audit_action("contract.approved") == "Approved a contract"
    assert audit_action("moon_base.opened") == "Moon base opened"


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ({"ends_on": "2027-03-31"}, "ends before: 31 March 2027"),
        ({"order_differs": True, "reason": ""}, "differs from the order: yes"),
        ({"roles": ["technical_contact", "contact"]}, "roles: technical contact, contact"),
        ({"before": {"name": "A & B"}, "after": {"name": None}}, "before: name A &amp; B · after: name —"),
        ({"since": "2026-11-22T09:41:00Z"}, "since: 22 Nov 2026 09:41 UTC"),
        ({"reason": "2026-99-99"}, "reason: 2026-99-99"),
        ({}, ""),
    ],
)
def test_details_are_words_and_not_python(detail: dict[str, object], words: str) -> None:
    with translation.override("en"), timezone.override("UTC"):
        shown = str(audit_detail(detail))
    assert shown.replace('<span class="fact">', "").replace("</span>", "") == words
