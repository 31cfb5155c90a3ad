"""What every answer carries, and what no header from a stranger changes."""

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from accounts.models import User
from cases.models import Attachment
from notifications.models import Message
from tests.access_objects import Objects, build
from tests.conftest import SignIn, World


@pytest.fixture
def objects(world: World, alice: User, anna: User, lena: User, remy: User) -> Objects:
    return build(world, alice=alice, anna=anna, lena=lena, remy=remy)


@pytest.mark.attack("cross-site request, framing, sniffing, inline script")
@pytest.mark.parametrize(
    "path", ["/", "/cases/", "/cases/new/", "/inbox/", "/account/login/", "/no-such-page/"]
)
def test_no_page_may_be_framed_sniffed_or_run_inline(alice: User, sign_in: SignIn, path: str) -> None:
    response = sign_in(alice).get(path, follow=True)
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"


@pytest.mark.attack("cross-site request, framing, sniffing, inline script")
@pytest.mark.parametrize(
    "path", ["/people/invite/", "/account/tokens/", "/cases/new/", "/account/logout/", "/api/v1/cases/"]
)
def test_a_form_from_another_site_is_refused(alice: User, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice, backend=django_settings.AUTHENTICATION_BACKENDS[0])
    assert client.post(path, {}).status_code == 403
    assert client.get("/people/").status_code == 200


@pytest.mark.attack("forwarded-for and host headers from a stranger")
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1@evil.example", ""])
def test_a_strangers_host_name_is_refused_and_gets_into_no_mail(
    alice: User, settings: Any, host: str
) -> None:
    settings.ALLOWED_HOSTS = ["portal.example"]
    response = Client(raise_request_exception=False).post(
        "/account/password/reset/", {"email": alice.email}, headers={"Host": host}
    )
    assert response.status_code == 400
    assert not Message.objects.exists()


@pytest.mark.attack("forwarded-for and host headers from a stranger")
@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-Ip": "127.0.0.1"},
        {"Remote-User": "ada@csc.example"},
        {"X-Forwarded-User": "ada@csc.example"},
    ],
)
def test_no_header_makes_a_stranger_local_or_somebody(ada: User, headers: dict[str, str]) -> None:
    far = Client(REMOTE_ADDR="203.0.113.9")
    assert far.get("/metrics", headers=headers).status_code == 404
    assert far.get("/audit/", headers=headers).status_code == 302


@pytest.mark.attack("forwarded-for and host headers from a stranger")
def test_behind_a_proxy_on_this_machine_metrics_need_the_token(db: None, settings: Any) -> None:
    settings.METRICS_TOKEN = "measured"
    proxied = {"X-Forwarded-For": "203.0.113.9"}
    assert Client().get("/metrics", headers=proxied).status_code == 404
    assert Client().get("/metrics", headers={**proxied, "Authorization": "Bearer wrong"}).status_code == 404
    assert (
        Client().get("/metrics", headers={**proxied, "Authorization": "Bearer measured"}).status_code == 200
    )


@pytest.mark.attack("predictable or unauthenticated file link")
def test_a_file_is_reached_through_its_case_only(
    objects: Objects, mallory: User, anna: User, sign_in: SignIn
) -> None:
    attachment = Attachment.objects.select_related("stored", "case").get()
    link = f"/cases/{attachment.case.number}/files/{attachment.stored_id}/"
    assert Client().get(link).status_code == 302
    assert sign_in(mallory).get(link).status_code == 404
    own = sign_in(anna)
    assert b"".join(own.get(link)).startswith(b"rpd[2211]")
    for guess in (attachment.pk, attachment.stored_id.int, attachment.stored.content.name):
        assert own.get(f"/cases/{attachment.case.number}/files/{guess}/").status_code == 404
    for folder in ("/media/", "/static/", "/files/"):
        assert Client().get(f"{folder}{attachment.stored.content.name}").status_code in (302, 404)


@pytest.mark.attack("predictable or unauthenticated file link")
def test_a_file_comes_as_a_download_that_runs_nothing(objects: Objects, anna: User, sign_in: SignIn) -> None:
    attachment = Attachment.objects.select_related("case").get()
    response = sign_in(anna).get(f"/cases/{attachment.case.number}/files/{attachment.stored_id}/")
    assert response["Content-Disposition"].startswith("attachment")
    assert response["Content-Type"] == "application/octet-stream"
    assert "sandbox" in response["Content-Security-Policy"]
    assert b"".join(response)
