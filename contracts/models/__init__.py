"""WHAT: custom software and its releases, what each end user accepted, and the service contracts."""

from contracts.models.contract import (
    ContractCounter,
    DocumentAgreement,
    GoverningDocument,
    PrerequisiteDocument,
    ServiceContract,
)
from contracts.models.obligations import (
    DocumentTask,
    GlossaryTerm,
    NonFulfilment,
    ReminderRule,
    Requirement,
)
from contracts.models.registration import ContractImport, ContractImportRow, EndUserRequest
from contracts.models.running import Drift, InstallTask, IntegrityCheck, LicenceAcceptance
from contracts.models.software import (
    Acceptance,
    Component,
    Defect,
    Release,
    ReleaseFile,
    ReleaseLine,
    Software,
)

__all__ = [
    "Acceptance",
    "Component",
    "ContractCounter",
    "ContractImport",
    "ContractImportRow",
    "Defect",
    "DocumentAgreement",
    "DocumentTask",
    "Drift",
    "EndUserRequest",
    "GlossaryTerm",
    "GoverningDocument",
    "InstallTask",
    "IntegrityCheck",
    "LicenceAcceptance",
    "NonFulfilment",
    "PrerequisiteDocument",
    "Release",
    "ReleaseFile",
    "ReleaseLine",
    "ReminderRule",
    "Requirement",
    "ServiceContract",
    "Software",
]
