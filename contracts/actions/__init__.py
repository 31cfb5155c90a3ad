"""Everything that changes contracts, documents, software and releases."""

from contracts.actions.acceptance import accept_release
from contracts.actions.contract import approve_contract, refuse_contract, terminate_contract
from contracts.actions.cotermination import co_terminate
from contracts.actions.documents import (
    add_document,
    agree_document,
    cancel_document_task,
    drop_document_tasks,
    mark_out_of_date,
    open_document_tasks,
    price_document_task,
)
from contracts.actions.drift import end_drift, record_drift
from contracts.actions.end_user_decisions import (
    confirm_end_user,
    merge_end_user,
    refuse_end_user,
    take_on_end_user,
)
from contracts.actions.end_users import NewEndUser, request_end_user
from contracts.actions.imports import start_import, upload_contracts
from contracts.actions.install import ask_to_install, cancel_install_task, finish_install_task
from contracts.actions.integrity import check_integrity
from contracts.actions.licence import accept_licence
from contracts.actions.manifest import ManifestLine
from contracts.actions.obligations import (
    add_governing_document,
    answer_notice,
    give_notice,
    meet_requirement,
    record_requirement,
    retire_requirement,
    unmeet_requirement,
)
from contracts.actions.registration import discard_draft, register_contract
from contracts.actions.release import (
    ThirdParty,
    change_draft,
    draft_release,
    publish_release,
    unpublishable,
    withdraw_release,
)
from contracts.actions.software import (
    change_defect,
    change_software,
    register_defect,
    register_software,
)

__all__ = [
    "ManifestLine",
    "NewEndUser",
    "ThirdParty",
    "accept_licence",
    "accept_release",
    "add_document",
    "add_governing_document",
    "agree_document",
    "answer_notice",
    "approve_contract",
    "ask_to_install",
    "cancel_document_task",
    "cancel_install_task",
    "change_defect",
    "change_draft",
    "change_software",
    "check_integrity",
    "co_terminate",
    "confirm_end_user",
    "discard_draft",
    "draft_release",
    "drop_document_tasks",
    "end_drift",
    "finish_install_task",
    "give_notice",
    "mark_out_of_date",
    "meet_requirement",
    "merge_end_user",
    "open_document_tasks",
    "price_document_task",
    "publish_release",
    "record_drift",
    "record_requirement",
    "refuse_contract",
    "refuse_end_user",
    "register_contract",
    "register_defect",
    "register_software",
    "request_end_user",
    "retire_requirement",
    "start_import",
    "take_on_end_user",
    "terminate_contract",
    "unmeet_requirement",
    "unpublishable",
    "upload_contracts",
    "withdraw_release",
]
