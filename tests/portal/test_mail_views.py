from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from portal import mailcatcher
from tests.conftest import SignIn

MAIL = b"""Subject: =?utf-8?b?7J6l7JWgIOygkeyImA==?=\r
Message-ID: <alert-1@portal.example>\r
MIME-Version: 1.0\r
Content-Type: multipart/alternative; boundary=b\r
\r
--b\r
Content-Type: text/plain\r
\r
Look: http://127.0.0.1:8000/cases/2026-1122-0007/ <script>alert(1)</script>\r
--b\r
Content-Type: text/html\r
\r
<p>Look</p><script>alert(2)</script>\r
--b--\r
"""


@pytest.fixture
def name(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """One caught mail."""
    settings.DEBUG = True
    (tmp_path / "var").mkdir()
    monkeypatch.setenv("PORTAL_VAR", str(tmp_path / "var"))
    return mailcatcher.save(MAIL, sender="support@portal.example", recipients=["lena@jtac.example"])


def test_staff_read_the_demo_s_mail(name: str, sam: User, sign_in: SignIn) -> None:
    client = sign_in(sam)
    html = client.get("/engine/mail/").content.decode()
    assert "장애 접수" in html
    assert "lena@jtac.example" in html
    detail = client.get(f"/engine/mail/{name}/").content.decode()
    assert 'href="http://127.0.0.1:8000/cases/2026-1122-0007/"' in detail
    assert "&lt;alert-1@portal.example&gt;" in detail


@pytest.mark.attack("script in every text")
def test_what_a_mail_brings_along_is_shown_and_never_run(name: str, sam: User, sign_in: SignIn) -> None:
    detail = sign_in(sam).get(f"/engine/mail/{name}/").content.decode()
    assert "<script>alert" not in detail
    assert "&lt;script&gt;alert(1)" in detail
    assert "&lt;script&gt;alert(2)" in detail


@pytest.mark.attack("operations pages without rights")
def test_nobody_else_reads_it(name: str, alice: User, sign_in: SignIn) -> None:
    client = sign_in(alice)
    assert client.get("/engine/mail/").status_code == 403
    assert client.get(f"/engine/mail/{name}/").status_code == 403


def test_outside_debug_there_is_no_such_page(name: str, sam: User, sign_in: SignIn, settings: Any) -> None:
    settings.DEBUG = False
    client = sign_in(sam)
    assert client.get("/engine/mail/").status_code == 404
    assert client.get(f"/engine/mail/{name}/").status_code == 404


@pytest.mark.parametrize("other", ["nothing", "..%2f..%2fsecret-key", "0" * 20 + "-" + "0" * 8 + ".eml"])
def test_a_name_that_was_never_given_is_not_found(name: str, sam: User, sign_in: SignIn, other: str) -> None:
    assert sign_in(sam).get(f"/engine/mail/{other}/").status_code == 404
