"""Where bytes lie: a folder, or any S3-compatible store. Both give out a range without reading the rest.

The settings import this module: nothing here may need a model, or boto3 where no bucket is configured."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage, Storage

CHUNK: Final = 256 * 1024


class FolderStorage(FileSystemStorage):
    """Files in MEDIA_ROOT. A finished upload on the same file system is moved there, not copied."""

    def read_range(self, name: str, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` up to, not including, `stop`, in pieces. It closes what it opened."""
        with self.open(name, "rb") as content:
            content.seek(start)
            while start < stop and (piece := content.read(min(CHUNK, stop - start))):
                start += len(piece)
                yield piece


def read_range(storage: Storage, name: str, start: int, stop: int) -> Iterator[bytes]:
    """A range of a stored file, in pieces, from whichever storage is configured."""
    kept: Any = storage
    return iter(kept.read_range(name, start, stop))


def configured(url: str) -> dict[str, Any]:
    """The entry of Django's STORAGES for FILE_STORAGE_URL; an empty one means the folder MEDIA_ROOT.

    `s3://KEY:SECRET@HOST[:PORT]/BUCKET[/PREFIX][?region=..&tls=0]`; without a host Amazon's own, without a key
    whatever boto3 finds (instance role, environment). Raises: ImproperlyConfigured, without the secret."""
    if not url:
        return {"BACKEND": "files.storage.FolderStorage"}
    parts = urlsplit(url)
    bucket, _slash, prefix = parts.path.strip("/").partition("/")
    query = dict(parse_qsl(parts.query))
    if parts.scheme != "s3" or not bucket or query.keys() - {"region", "tls"}:
        raise ImproperlyConfigured(
            "FILE_STORAGE_URL must look like s3://KEY:SECRET@HOST/BUCKET?region=REGION."
        )
    options: dict[str, Any] = {
        "bucket_name": bucket,
        "location": prefix,
        "default_acl": None,
        "file_overwrite": True,  # names are random; asking first whether one is taken costs a request
        "region_name": query.get("region"),
    }
    if parts.hostname:
        port = f":{parts.port}" if parts.port else ""
        scheme = "http" if query.get("tls") == "0" else "https"
        options["endpoint_url"] = f"{scheme}://{parts.hostname}{port}"
        options["addressing_style"] = "path"
    if parts.username:
        options["access_key"] = unquote(parts.username)
        options["secret_key"] = unquote(parts.password or "")
    return {"BACKEND": "files.bucket.BucketStorage", "OPTIONS": options}


def incoming() -> Path:
    """The folder of what is still coming in; the same for every web process that serves one portal."""
    folder = Path(settings.UPLOAD_DIR or Path(settings.MEDIA_ROOT) / "incoming")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def has_room_for(size: int) -> bool:
    """Whether so many bytes more leave the disk of `incoming` at least FILE_DISK_RESERVE_BYTES."""
    reserve = int(settings.FILE_DISK_RESERVE_BYTES)
    return shutil.disk_usage(incoming()).free - size >= reserve
