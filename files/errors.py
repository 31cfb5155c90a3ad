"""Why bytes are not taken, each with the status that the tus protocol has for it."""

from typing import ClassVar


class FileRefused(Exception):
    """The file was not taken; the message says why."""

    status: ClassVar[int] = 400


class FileTooLarge(FileRefused):
    status = 413


class TooManyUploads(FileRefused):
    status = 429


class NoRoom(FileRefused):
    """The disk of the portal is full: nobody's fault who uploads."""

    status = 507


class UploadUnknown(FileRefused):
    """Never was, was taken already, or is somebody else's: all three look alike."""

    status = 404


class UploadExpired(FileRefused):
    status = 410


class UploadBusy(FileRefused):
    """Another request is writing to it just now."""

    status = 423


class OffsetConflict(FileRefused):
    """The sender and we do not agree how much has arrived."""

    status = 409
