"""Who was told about a release, and what became of it: queued, sent, opened (C23)."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from contracts.models import Release
from notifications.kinds import Channel
from notifications.models import ARRIVED_STATES, Delivery, Message


@dataclass(frozen=True, kw_only=True)
class Counts:
    """People: told at all, reached by at least the inbox or a mail, and who has opened it."""

    told: int = 0
    sent: int = 0
    opened: int = 0


def receipts_of(release: Release) -> QuerySet[Message]:
    """One message per person, with deliveries; whoever may see every contract may see these. Two queries."""
    return Message.objects.for_subject(release.subject)


def counts_for(releases: Iterable[Release]) -> dict[int, Counts]:
    """By release id. One query, however many they are."""
    subjects = {release.subject: release.pk for release in releases}
    arrived = Q(state__in=ARRIVED_STATES)
    opened = Q(channel=Channel.INBOX, opened_at__isnull=False)
    rows = (
        Delivery.objects.filter(message__subject__in=subjects)
        .values("message__subject")
        .annotate(
            told=Count("message", distinct=True),
            sent=Count("message", distinct=True, filter=arrived),
            opened=Count("message", distinct=True, filter=opened),
        )
    )
    return {
        subjects[row["message__subject"]]: Counts(told=row["told"], sent=row["sent"], opened=row["opened"])
        for row in rows
    }
