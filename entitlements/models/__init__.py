"""MAY THEY: records of decisions and downloads, requests for exceptions and quotes, policy, hours, rates."""

from entitlements.models.decision import DOWNLOAD_LASTS, DecisionRecord, Download
from entitlements.models.policy import BusinessHours, Policy, PolicyRung, PolicyTarget
from entitlements.models.requests import CountryService, ExceptionRequest, QuoteRequest, Rate

__all__ = [
    "DOWNLOAD_LASTS",
    "BusinessHours",
    "CountryService",
    "DecisionRecord",
    "Download",
    "ExceptionRequest",
    "Policy",
    "PolicyRung",
    "PolicyTarget",
    "QuoteRequest",
    "Rate",
]
