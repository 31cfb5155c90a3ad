"""Every change of a case: one verb each, keyword-only, atomic, with its entry and its messages."""

from cases.actions.handover import hand_over
from cases.actions.opening import open_case
from cases.actions.priority import lower_priority, raise_priority
from cases.actions.resolution import (
    accept_resolution,
    close_case,
    propose_resolution,
    reject_resolution,
    reopen_case,
    request_closure,
)
from cases.actions.restoration import deny_restoration, mark_restored
from cases.actions.talk import add_note, reply
from cases.actions.triage import assign_case, change_state, take_case
from cases.actions.wishes import EscalationReason, request_escalation

__all__ = [
    "EscalationReason",
    "accept_resolution",
    "add_note",
    "assign_case",
    "change_state",
    "close_case",
    "deny_restoration",
    "hand_over",
    "lower_priority",
    "mark_restored",
    "open_case",
    "propose_resolution",
    "raise_priority",
    "reject_resolution",
    "reopen_case",
    "reply",
    "request_closure",
    "request_escalation",
    "take_case",
]
