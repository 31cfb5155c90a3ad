"""What is told to whom, and that somebody has seen it."""

from typing import TYPE_CHECKING, Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, User
from accounts.roles import Permission
from notifications.kinds import Channel

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager

    from notifications.models.delivery import Delivery


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
