"""What the first screens of customers, engineers and managers show."""

from datetime import datetime
from typing import Any

from accounts.models import User


def customer(user: User, now: datetime) -> dict[str, Any]:
    return {}


def engineer(user: User, now: datetime) -> dict[str, Any]:
    return {}


def manager(user: User, now: datetime) -> dict[str, Any]:
    return {}
