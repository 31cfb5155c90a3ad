"""A message on its way: by which channel, how far it got, and every attempt."""

from typing import TYPE_CHECKING, Any, Self

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, User
from accounts.roles import Permission
from notifications.kinds import Channel, Queue
from notifications.models.message import Message

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager

UNREAD_CAP = 99


class DeliveryState(models.TextChoices):
    PENDING = "pending", _("Waiting")
    LEASED = "leased", _("Being sent")
    SENT = "sent", _("Accepted by the mail server")
    CONFIRMED = "confirmed", _("Delivered")
    FAILED = "failed", _("Failed, will be tried again")
    DEAD = "dead", _("Given up")
    SUPPRESSED = "suppressed", _("Not sent")


DUE_STATES = (DeliveryState.PENDING, DeliveryState.FAILED)
ARRIVED_STATES = (DeliveryState.SENT, DeliveryState.CONFIRMED)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def visible_to(self, user: User) -> Self:
        """Whoever watches the engine sees all; everybody else what came to them."""
        if user.acting is None:
            return self.none()
        return self if user.can(Permission.ENGINE_VIEW) else self.filter(recipient=user.acting)

    def inbox_of(self, user: User) -> Self:
        """What lies in the inbox of the membership the person acts in, whatever else they may see."""
        if user.acting is None:
            return self.none()
        return self.filter(recipient=user.acting, channel=Channel.INBOX, state=DeliveryState.CONFIRMED)

    def unread(self) -> Self:
        return self.filter(opened_at__isnull=True)

    def unread_count(self, user: User) -> int:
        """How many messages in the person's inbox are unopened; one more than 99 stands for "99+"."""
        return self.inbox_of(user).unread().values("pk")[: UNREAD_CAP + 1].count()

    def waiting(self) -> Self:
        """Not yet leased; due once `next_at` has come."""
        return self.filter(state__in=DUE_STATES)

    def leased_with(self, token: Any) -> Self:
        """The row as long as this lease is still held."""
        return self.filter(state=DeliveryState.LEASED, lease_token=token)


class Delivery(models.Model):
    """A message on its way by one channel: leased, sent, then settled by whoever still holds the lease."""

    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="deliveries")
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    key = models.CharField(max_length=260, unique=True)
    # recipient, queue and urgency are copied from the message, so that the partial indexes below can do their work
    recipient = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="deliveries", null=True, blank=True
    )
    queue = models.CharField(_("queue"), max_length=10, choices=Queue.choices)
    urgency = models.PositiveSmallIntegerField(default=5)
    state = models.CharField(
        _("state"), max_length=10, choices=DeliveryState.choices, default=DeliveryState.PENDING
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    losses = models.PositiveSmallIntegerField(_("lost leases"), default=0)
    next_at = models.DateTimeField(_("next attempt"))
    lease_token = models.UUIDField(null=True)
    lease_owner = models.IntegerField(null=True)
    lease_until = models.DateTimeField(null=True)
    first_attempted_at = models.DateTimeField(_("first attempt"), null=True)
    sent_at = models.DateTimeField(_("sent"), null=True)
    opened_at = models.DateTimeField(_("opened"), null=True)
    answer = models.CharField(_("answer"), max_length=500, blank=True)
    suppressed_reason = models.CharField(_("reason"), max_length=200, blank=True)
    suppressed_at = models.DateTimeField(_("not sent since"), null=True)

    objects = DeliveryQuerySet.as_manager()

    if TYPE_CHECKING:
        attempt_rows: RelatedManager["Attempt"]
        message_id: int

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(
                fields=["message", "channel"], name="notifications_delivery_is_one_per_message_and_channel"
            ),
            models.CheckConstraint(
                condition=Q(state__in=DeliveryState.values), name="notifications_delivery_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(channel__in=Channel.values), name="notifications_delivery_channel_is_known"
            ),
            models.CheckConstraint(
                condition=Q(queue__in=Queue.values), name="notifications_delivery_queue_is_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    state=DeliveryState.LEASED,
                    lease_token__isnull=False,
                    lease_owner__isnull=False,
                    lease_until__isnull=False,
                )
                | (
                    ~Q(state=DeliveryState.LEASED)
                    & Q(lease_token__isnull=True, lease_owner__isnull=True, lease_until__isnull=True)
                ),
                name="notifications_delivery_has_a_lease_only_while_leased",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ARRIVED_STATES, sent_at__isnull=False)
                | (~Q(state__in=ARRIVED_STATES) & Q(sent_at__isnull=True)),
                name="notifications_delivery_has_a_sending_time_only_once_sent",
            ),
            models.CheckConstraint(
                condition=Q(state=DeliveryState.SUPPRESSED) ^ Q(suppressed_reason=""),
                name="notifications_delivery_says_why_it_was_suppressed",
            ),
        ]
        indexes = [
            # lease(), and the age of the oldest due row
            models.Index(
                fields=["urgency", "next_at", "id"],
                condition=Q(state__in=DUE_STATES),
                name="delivery_due",
            ),
            # leases whose owner died or whose time is over
            models.Index(
                fields=["lease_until"], condition=Q(state=DeliveryState.LEASED), name="delivery_leased"
            ),
            # /engine/: what was given up
            models.Index(fields=["-id"], condition=Q(state=DeliveryState.DEAD), name="delivery_dead"),
            # /inbox/, newest first
            models.Index(
                F("recipient"),
                F("id").desc(),
                condition=Q(channel=Channel.INBOX, state=DeliveryState.CONFIRMED),
                name="delivery_inbox",
            ),
            # the count in the header, on every page
            models.Index(
                fields=["recipient"],
                condition=Q(channel=Channel.INBOX, state=DeliveryState.CONFIRMED, opened_at__isnull=True),
                name="delivery_unread",
            ),
            # a membership ends: what is on its way to it
            models.Index(
                fields=["recipient", "state"],
                condition=Q(state__in=[*DUE_STATES, DeliveryState.LEASED]),
                name="delivery_on_its_way",
            ),
        ]

    def __str__(self) -> str:
        return self.key


class AttemptQuerySet(models.QuerySet["Attempt"]):
    def visible_to(self, user: User) -> Self:
        return self if user.can(Permission.ENGINE_VIEW) else self.none()


class Attempt(models.Model):
    """One try to send, or one lease that was lost. Append-only by trigger."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted", _("Accepted")
        REFUSED = "refused", _("Refused for good")
        FAILED = "failed", _("Failed")
        LOST = "lost", _("Lease lost")

    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="attempt_rows")
    at = models.DateTimeField(_("at"))
    owner = models.IntegerField()
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices)
    # false: by the time of the answer the lease was gone; what was on the wire is still told here
    is_settled = models.BooleanField(default=True)
    answer = models.CharField(_("answer"), max_length=500, blank=True)

    objects = AttemptQuerySet.as_manager()

    class Meta:
        verbose_name = _("attempt")
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=["accepted", "refused", "failed", "lost"]),
                name="notifications_attempt_outcome_is_known",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.answer}"
