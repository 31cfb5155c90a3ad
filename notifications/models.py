"""TELLING: messages and their deliveries, attempts, acknowledgements, who is on duty, and how the engine is."""

from typing import TYPE_CHECKING, Any, Self

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, User
from accounts.roles import Permission
from notifications.kinds import Channel, Queue

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


class How(models.TextChoices):
    """How a person acknowledged."""

    PAGE = "page", _("Page")
    MAIL = "mail", _("Mail")
    API = "api", _("API")


class MessageQuerySet(models.QuerySet["Message"]):
    def visible_to(self, user: User) -> Self:
        """What was written to the membership the person acts in."""
        return self.none() if user.acting is None else self.filter(recipient=user.acting)

    def for_subject(self, subject: str) -> Self:
        """Everything told about a subject, oldest first, with all a page shows of who got it when.

        Asks nothing more per row: recipient, deliveries and acknowledgement come along."""
        return (
            self.filter(subject=subject)
            .select_related("recipient__user", "recipient__organisation", "acknowledgement__by__user")
            .prefetch_related("deliveries")
            .order_by("pk")
        )

    def unread_count(self, user: User) -> int:
        """How many messages in the person's inbox are unopened; one more than 99 stands for "99+"."""
        if user.acting is None:
            return 0
        unread = Delivery.objects.inbox_of(user).unread().values("pk")
        return unread[: UNREAD_CAP + 1].count()


class Message(models.Model):
    """One thing told to one person; the row of the outbox. Written with the change it tells of."""

    kind = models.CharField(_("kind"), max_length=60)
    recipient = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="messages", null=True, blank=True
    )
    # of a mail of the account itself, to somebody who may be a member of nothing (an invitation, a reset)
    address = models.EmailField(_("mail address"), max_length=254, blank=True)
    subject = models.CharField(_("about"), max_length=200)
    path = models.CharField(_("page"), max_length=300)
    # a snapshot: what is told is what was true then; keys ending in _at are UTC times, in _on dates
    context = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    dedupe_key = models.CharField(max_length=250, unique=True)
    urgency = models.PositiveSmallIntegerField(default=5)
    needs_acknowledgement = models.BooleanField(_("asks for an acknowledgement"), default=False)
    created_at = models.DateTimeField(_("queued"))

    objects = MessageQuerySet.as_manager()

    if TYPE_CHECKING:
        deliveries: RelatedManager["Delivery"]
        acknowledgement: "Acknowledgement"

    class Meta:
        verbose_name = _("message")
        constraints = [
            # a path of our own; "//host" would lead a browser elsewhere
            models.CheckConstraint(
                condition=Q(path__regex=r"^/([^/\\]|$)"), name="notifications_message_path_is_local"
            ),
            models.CheckConstraint(condition=~Q(subject=""), name="notifications_message_subject_is_given"),
            models.CheckConstraint(
                condition=Q(recipient__isnull=False) ^ ~Q(address=""),
                name="notifications_message_has_a_recipient_or_an_address",
            ),
        ]
        indexes = [
            # for_subject: the receipts of a case or a release
            models.Index(fields=["subject", "id"], name="message_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"

    @property
    def to(self) -> str:
        """Whom it is for, in words."""
        return self.address if self.recipient is None else self.recipient.user.name

    def _by(self, channel: str) -> "Delivery | None":
        return next((d for d in self.deliveries.all() if d.channel == channel), None)

    @property
    def mail(self) -> "Delivery | None":
        return self._by(Channel.MAIL)

    @property
    def inbox(self) -> "Delivery | None":
        return self._by(Channel.INBOX)

    @property
    def acknowledged(self) -> "Acknowledgement | None":
        """The acknowledgement, if there is one (`acknowledgement` raises when there is none)."""
        return getattr(self, "acknowledgement", None)


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


class AcknowledgementQuerySet(models.QuerySet["Acknowledgement"]):
    def visible_to(self, user: User) -> Self:
        """Whoever works on cases sees all; others those of what was written to them."""
        if user.acting is None:
            return self.none()
        return self if user.can(Permission.CASE_VIEW_ALL) else self.filter(message__recipient=user.acting)


class Acknowledgement(models.Model):
    """Somebody has seen an alert and takes care. The first one counts; there is no second."""

    message = models.OneToOneField(Message, on_delete=models.PROTECT, related_name="acknowledgement")
    by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="acknowledgements")
    at = models.DateTimeField(_("acknowledged"))
    how = models.CharField(_("by way of"), max_length=10, choices=How.choices)
    note = models.CharField(_("note"), max_length=500, blank=True)

    objects = AcknowledgementQuerySet.as_manager()

    class Meta:
        verbose_name = _("acknowledgement")
        constraints = [
            models.CheckConstraint(
                condition=Q(how__in=How.values), name="notifications_acknowledgement_way_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.message} {self.by}"


def every_day() -> list[int]:
    return list(range(7))


class DutyLevelQuerySet(models.QuerySet["DutyLevel"]):
    def visible_to(self, user: User) -> Self:
        return self if user.is_vendor_staff else self.none()


class DutyLevel(models.Model):
    """A level of management that alerts climb through (C22): 1 duty manager, then upward."""

    level = models.PositiveSmallIntegerField(_("level"), unique=True)
    name = models.CharField(_("name"), max_length=80)

    objects = DutyLevelQuerySet.as_manager()

    if TYPE_CHECKING:
        people: RelatedManager["DutyPerson"]

    class Meta:
        verbose_name = _("duty level")
        constraints = [
            models.CheckConstraint(
                condition=Q(level__gte=1, level__lte=4),
                name="notifications_dutylevel_is_between_one_and_four",
            ),
        ]

    def __str__(self) -> str:
        return f"L{self.level} {self.name}"


class DutyPersonQuerySet(models.QuerySet["DutyPerson"]):
    def visible_to(self, user: User) -> Self:
        return self if user.is_vendor_staff else self.none()


class DutyPerson(models.Model):
    """Somebody of a level, with hours (regions follow the sun) and a delegate for absence.

    `starts` and `ends` are wall-clock times in `zone`, half-open; empty means round the clock; an end before
    the start is on the next day. `weekdays` (Monday 0) are those on which the hours start."""

    level = models.ForeignKey(DutyLevel, on_delete=models.PROTECT, related_name="people")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="duties")
    starts = models.TimeField(_("from"), null=True, blank=True)
    ends = models.TimeField(_("until"), null=True, blank=True)
    weekdays = ArrayField(models.PositiveSmallIntegerField(), default=every_day, verbose_name=_("days"))
    zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    delegate = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="delegated_duties"
    )
    absent_from = models.DateTimeField(_("absent from"), null=True, blank=True)
    absent_until = models.DateTimeField(_("absent until"), null=True, blank=True)

    objects = DutyPersonQuerySet.as_manager()

    if TYPE_CHECKING:
        membership_id: int
        delegate_id: int | None

    class Meta:
        verbose_name = _("person on duty")
        verbose_name_plural = _("people on duty")
        constraints = [
            models.UniqueConstraint(
                fields=["level", "membership", "starts"],
                nulls_distinct=False,
                name="notifications_dutyperson_is_once_per_level_and_start",
            ),
            models.CheckConstraint(
                condition=Q(starts__isnull=True, ends__isnull=True)
                | (Q(starts__isnull=False, ends__isnull=False) & ~Q(starts=F("ends"))),
                name="notifications_dutyperson_hours_have_both_ends",
            ),
            models.CheckConstraint(
                condition=Q(weekdays__contained_by=every_day(), weekdays__len__gt=0),
                name="notifications_dutyperson_weekdays_are_known_and_not_empty",
            ),
            models.CheckConstraint(
                condition=Q(absent_until__isnull=True)
                | Q(absent_from__isnull=False, absent_until__gt=F("absent_from")),
                name="notifications_dutyperson_absence_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(delegate__isnull=True) | ~Q(delegate=F("membership")),
                name="notifications_dutyperson_delegate_is_somebody_else",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.level} {self.membership}"


class EngineHeartbeatQuerySet(models.QuerySet["EngineHeartbeat"]):
    def visible_to(self, user: User) -> Self:
        return self if user.can(Permission.ENGINE_VIEW) else self.none()


class EngineHeartbeat(models.Model):
    """A runner was alive and came through its round: the engine loop, a worker, a tick by hand."""

    runner = models.CharField(_("runner"), max_length=40, unique=True)
    at = models.DateTimeField(_("last seen"))
    detail = models.JSONField(_("last round"), default=dict)

    objects = EngineHeartbeatQuerySet.as_manager()

    class Meta:
        verbose_name = _("heartbeat")

    def __str__(self) -> str:
        return self.runner


class IncidentQuerySet(models.QuerySet["Incident"]):
    def visible_to(self, user: User) -> Self:
        return self if user.can(Permission.ENGINE_VIEW) else self.none()


class Incident(models.Model):
    """Something that should not happen and that staff must look at: nobody on duty, a job that failed."""

    at = models.DateTimeField(_("at"))
    kind = models.CharField(_("kind"), max_length=60)
    detail = models.JSONField(_("detail"), default=dict, encoder=DjangoJSONEncoder)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        verbose_name = _("incident")
        indexes = [
            # /engine/, newest first
            models.Index(F("at").desc(), F("id").desc(), name="incident_newest"),
        ]

    def __str__(self) -> str:
        return self.kind


class JobRunQuerySet(models.QuerySet["JobRun"]):
    def visible_to(self, user: User) -> Self:
        return self if user.can(Permission.ENGINE_VIEW) else self.none()


class JobRun(models.Model):
    """When a periodic job last ran; won by a conditional update, so that two engines do not double it."""

    name = models.CharField(_("job"), max_length=80, unique=True)
    last_at = models.DateTimeField(_("last run"))

    objects = JobRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")

    def __str__(self) -> str:
        return self.name
