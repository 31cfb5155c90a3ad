"""WHAT: custom software and its releases, what each end user accepted, and the service contracts."""

from contracts.models.contract import (
    ContractCounter,
    DocumentAgreement,
    GoverningDocument,
    PrerequisiteDocument,
    ServiceContract,
)
from contracts.models.software import Acceptance, Defect, Release, ReleaseFile, ReleaseLine, Software

__all__ = [
    "Acceptance",
    "ContractCounter",
    "Defect",
    "DocumentAgreement",
    "GoverningDocument",
    "PrerequisiteDocument",
    "Release",
    "ReleaseFile",
    "ReleaseLine",
    "ServiceContract",
    "Software",
]
