"""Mail of the account itself. Everything about cases and contracts goes through the outbox instead."""

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.models import Invitation


def send_invitation(*, invitation: Invitation, secret: str) -> None:
    """The link with the secret exists in this mail only. A failure reaches the person who invites."""
    context = {
        "invitation": invitation,
        "link": settings.PUBLIC_URL + reverse("invitation", args=[secret]),
        "product": settings.PRODUCT_NAME,
    }
    send_mail(
        subject=render_to_string("accounts/mail/invitation.subject.txt", context).strip(),
        message=render_to_string("accounts/mail/invitation.txt", context),
        from_email=None,
        recipient_list=[invitation.email],
    )
