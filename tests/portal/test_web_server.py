"""The web server of `make run` reads its code early and listens late."""

import threading
from pathlib import Path

import pytest

from portal.run import HOLD
from portal.web_server import on_starting


def test_without_a_hold_it_listens_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for hold in (None, str(tmp_path / "nothing")):
        if hold is None:
            monkeypatch.delenv(HOLD, raising=False)
        else:
            monkeypatch.setenv(HOLD, hold)
        waiting = threading.Thread(target=on_starting, args=[None], daemon=True)
        waiting.start()
        waiting.join(5)
        assert not waiting.is_alive()


def test_it_waits_for_as_long_as_the_hold_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    monkeypatch.setenv(HOLD, str(hold))
    waiting = threading.Thread(target=on_starting, args=[None])
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    hold.unlink()
    waiting.join(5)
    assert not waiting.is_alive()
