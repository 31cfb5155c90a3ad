"""The last strokes: what people have read, when they were last here, and names that do not depend on chance."""

import uuid
from datetime import timedelta
from typing import Final

from django.core.files.base import ContentFile
from django.db.models import F

from accounts.models import Membership
from cases.models import Attachment
from files.models import StoredFile, storage_name
from notifications.kinds import Channel
from notifications.models import Delivery
from portal.demo.world import World

# What came lately has often not been read yet.
_LATELY: Final = timedelta(hours=40)
_READ_OF_OLD, _READ_OF_LATE = 0.98, 0.4


def finish(world: World) -> None:
    _read_inboxes(world)
    _name_files(world)
    _set_last_seen(world)


def _read_inboxes(world: World) -> None:
    rows = Delivery.objects.filter(channel=Channel.INBOX, opened_at=None, sent_at__isnull=False)
    opened = []
    for delivery in rows.order_by("pk"):
        assert delivery.sent_at is not None
        is_late = world.now - delivery.sent_at < _LATELY
        share = _READ_OF_LATE if is_late else _READ_OF_OLD
        is_read = world.rng.random() < share
        minutes = world.rng.randint(1, 90 if is_late else 600)
        at = delivery.sent_at + timedelta(minutes=minutes)
        if is_read and at < world.now:
            delivery.opened_at = at
            opened.append(delivery)
    Delivery.objects.bulk_update(opened, ["opened_at"], batch_size=500)


def _name_files(world: World) -> None:
    """Stored files get random ids when they come in; here they get those of this seed."""
    for attachment in Attachment.objects.select_related("stored").order_by("pk"):
        old = attachment.stored
        storage, path = old.content.storage, str(old.content.name)
        with old.content.open("rb") as content:
            data = content.read()
        new = StoredFile(id=uuid.UUID(int=world.rng.getrandbits(128), version=4), created_at=old.created_at)
        target = storage_name(new, old.name)
        storage.delete(target)  # of an earlier world whose database is gone
        name = storage.save(target, ContentFile(data))
        StoredFile.objects.filter(pk=old.pk).update(id=new.pk, content=name)
        Attachment.objects.filter(pk=attachment.pk).update(stored_id=new.pk)
        storage.delete(path)


def _set_last_seen(world: World) -> None:
    for member in Membership.objects.order_by("pk"):
        ago = timedelta(minutes=world.rng.randint(3, 4000))
        end = member.ended_at or world.now
        Membership.objects.filter(pk=member.pk).update(last_seen_at=end - ago)
    Membership.objects.filter(user__email="wei@pacific.example").update(last_seen_at=F("started_at"))
