"""SHA-256 of uploads that come in over several requests: the running state, kept while this process lives.

`hashlib` cannot write its state down. So the state stays here between two requests; where it is not here (another
process took the first part, or this one was restarted) the finished bytes are read once, and never more than once.
"""

import hashlib
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any, Final
from uuid import UUID

KEPT: Final = 256
CHUNK: Final = 1024 * 1024

_lock = threading.Lock()
_states: "OrderedDict[UUID, tuple[int, Any]]" = OrderedDict()


def take_state(upload: UUID, offset: int) -> Any | None:
    """The running hash of the first `offset` bytes, now the caller's; None if it is not known here."""
    if offset == 0:
        return hashlib.sha256()
    with _lock:
        at, state = _states.pop(upload, (None, None))
    return state if at == offset else None


def keep_state(upload: UUID, offset: int, state: Any | None) -> None:
    """Keep it for the next request; the ones that nobody asked for longest go first."""
    if state is None:
        return
    with _lock:
        _states[upload] = (offset, state)
        _states.move_to_end(upload)
        while len(_states) > KEPT:
            _states.popitem(last=False)


def digest_of(path: Path) -> str:
    """Of a whole file, read in pieces."""
    running = hashlib.sha256()
    with path.open("rb") as content:
        while piece := content.read(CHUNK):
            running.update(piece)
    return running.hexdigest()
