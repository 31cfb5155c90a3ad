"""The last strokes: what people have read, when they were last here, and names that do not depend on chance."""

import uuid
from datetime import timedelta
from typing import Final

from django.core.files.base import ContentFile
from django.db import connection

from accounts.models import Membership
from cases.models import Attachment
from contracts.models import ReleaseFile
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


_RENAME: Final = """
WITH named AS (SELECT * FROM unnest(%(old)s::uuid[], %(new)s::uuid[], %(content)s::text[]) AS n (old, new, content)),
attached AS (UPDATE cases_attachment a SET stored_id = n.new FROM named n WHERE a.stored_id = n.old),
released AS (UPDATE contracts_releasefile r SET stored_id = n.new FROM named n WHERE r.stored_id = n.old)
UPDATE files_storedfile f SET id = n.new, content = n.content FROM named n WHERE f.id = n.old
"""


def _name_files(world: World) -> None:
    """Stored files get random ids when they come in; here they get those of this seed."""
    used_by = (Attachment.objects.order_by("pk"), ReleaseFile.objects.exclude(stored=None).order_by("pk"))
    old = [row.stored for rows in used_by for row in rows.select_related("stored") if row.stored]
    new = [uuid.UUID(int=world.rng.getrandbits(128), version=4) for _file in old]
    names = [
        _move(file, StoredFile(id=pk, created_at=file.created_at)) for file, pk in zip(old, new, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(_RENAME, {"old": [file.pk for file in old], "new": new, "content": names})


def _move(old: StoredFile, new: StoredFile) -> str:
    """Put the bytes where the file of this id has them; gives the name of the place."""
    storage = old.content.storage
    target = storage_name(new, old.name)
    storage.delete(target)  # of an earlier world whose database is gone
    with old.content.open("rb") as content:
        name: str = storage.save(target, ContentFile(content.read()))
    storage.delete(str(old.content.name))
    return name


def _set_last_seen(world: World) -> None:
    members = list(Membership.objects.order_by("pk").select_related("user"))
    for member in members:
        ago = timedelta(minutes=world.rng.randint(3, 4000))
        member.last_seen_at = (member.ended_at or world.now) - ago
        if member.user.email == "wei@pacific.example":  # was invited and never came
            member.last_seen_at = member.started_at
    Membership.objects.bulk_update(members, ["last_seen_at"])
