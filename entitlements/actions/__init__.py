"""Decisions and their records, the download gate, exceptions and quotes."""

from entitlements.actions.deciding import (
    decide,
    decide_and_record,
    keep,
    record_of,
    record_registration,
    replay,
)
from entitlements.actions.exceptions import (
    ask_exception,
    grant_exception,
    refuse_exception,
    second_exception,
    standing,
    withdraw_exception,
)
from entitlements.actions.gate import grant_download, licence_to_accept, look
from entitlements.actions.quotes import answer_quote, ask_quote, decline_quote, withdraw_quote

__all__ = [
    "answer_quote",
    "ask_exception",
    "ask_quote",
    "decide",
    "decide_and_record",
    "decline_quote",
    "grant_download",
    "grant_exception",
    "keep",
    "licence_to_accept",
    "look",
    "record_of",
    "record_registration",
    "refuse_exception",
    "replay",
    "second_exception",
    "standing",
    "withdraw_exception",
    "withdraw_quote",
]
