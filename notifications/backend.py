"""Django's mail backend: what Django and django-allauth send becomes a row of the outbox.

So no request waits for SMTP, a mail is not lost when the mail server is away, and a reset for a known address
takes as long as for an unknown one.
"""

from collections.abc import Sequence

from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from notifications.outbox import enqueue_mail


class OutboxBackend(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        now = timezone.now()
        for mail in email_messages:
            html = ""
            if isinstance(mail, EmailMultiAlternatives):
                html = next((str(content) for content, kind in mail.alternatives if kind == "text/html"), "")
            for address in mail.recipients():
                enqueue_mail(
                    address=address, mail_subject=str(mail.subject), text=str(mail.body), html=html, now=now
                )
        return len(email_messages)
