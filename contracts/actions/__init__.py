"""Everything that changes contracts, documents, software and releases."""

from contracts.actions.acceptance import accept_release
from contracts.actions.contract import (
    approve_contract,
    refuse_contract,
    register_contract,
    terminate_contract,
)
from contracts.actions.documents import add_document, agree_document, mark_out_of_date
from contracts.actions.release import (
    ManifestLine,
    draft_release,
    publish_release,
    register_defect,
    register_software,
    withdraw_release,
)

__all__ = [
    "ManifestLine",
    "accept_release",
    "add_document",
    "agree_document",
    "approve_contract",
    "draft_release",
    "mark_out_of_date",
    "publish_release",
    "refuse_contract",
    "register_contract",
    "register_defect",
    "register_software",
    "terminate_contract",
    "withdraw_release",
]
