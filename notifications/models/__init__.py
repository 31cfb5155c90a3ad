"""TELLING: messages and their deliveries, who is on duty, and what the engine leaves behind."""

from notifications.models.delivery import (
    ARRIVED_STATES,
    DUE_STATES,
    UNREAD_CAP,
    Attempt,
    Delivery,
    DeliveryQuerySet,
    DeliveryState,
)
from notifications.models.duty import DutyLevel, DutyPerson, every_day
from notifications.models.engine import EngineHeartbeat, Incident, JobRun
from notifications.models.message import Acknowledgement, How, Message

__all__ = [
    "ARRIVED_STATES",
    "DUE_STATES",
    "UNREAD_CAP",
    "Acknowledgement",
    "Attempt",
    "Delivery",
    "DeliveryQuerySet",
    "DeliveryState",
    "DutyLevel",
    "DutyPerson",
    "EngineHeartbeat",
    "How",
    "Incident",
    "JobRun",
    "Message",
    "every_day",
]
