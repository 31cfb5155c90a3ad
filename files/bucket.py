"""Files in any S3-compatible store; loaded only where FILE_STORAGE_URL names one."""

from collections.abc import Iterator
from typing import Any, Final

from boto3.s3.transfer import TransferConfig
from storages.backends.s3 import S3Storage

from files.storage import CHUNK

# One part in memory at a time; 10,000 of them, as many as a store takes, hold 160 GB
PART: Final = 16 * 1024**2
TRANSFER: Final = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, use_threads=False)


class BucketStorage(S3Storage):  # type: ignore[misc]  # django-storages has no types
    """Files in a bucket. django-storages' own file object would fetch the whole of it for the first byte."""

    def get_default_settings(self) -> dict[str, Any]:
        return {**super().get_default_settings(), "transfer_config": TRANSFER}

    def read_range(self, name: str, start: int, stop: int) -> Iterator[bytes]:
        """As FolderStorage, by one ranged request."""
        if start >= stop:
            return
        item = self.bucket.Object(self._normalize_name(name))
        body = item.get(Range=f"bytes={start}-{stop - 1}")["Body"]
        try:
            yield from body.iter_chunks(CHUNK)
        finally:
            body.close()
