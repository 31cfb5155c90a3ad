"""Who is asking, and as whom: token or session, the membership acted in, language and time zone."""

import zoneinfo
from collections.abc import Callable
from datetime import timedelta

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import ApiToken, Membership, User
from accounts.tokens import digest

GetResponse = Callable[[HttpRequest], HttpResponseBase]
ACTING_KEY = "acting_membership"
SEEN_EVERY = timedelta(minutes=5)


def current_user(request: HttpRequest) -> User:
    """The signed-in person of a view that requires one."""
    assert isinstance(request.user, User)
    return request.user


class TokenMiddleware:
    """`Authorization: Bearer` on `/api/`: the token's person, acting in the token's membership."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
        request.api_token = None  # type: ignore[attr-defined]
        if scheme.lower() == "bearer" and request.path.startswith("/api/"):
            token = self._find(secret.strip())
            if token is None:
                return problem(401, _("This token is not valid."))
            if token.scope == ApiToken.Scope.READ and request.method not in ("GET", "HEAD", "OPTIONS"):
                return problem(403, _("This token may only read."))
            user = token.membership.user
            user.acting = token.membership
            request.user = user
            request.api_token = token  # type: ignore[attr-defined]
        return self.get_response(request)

    def _find(self, secret: str) -> ApiToken | None:
        now = timezone.now()
        tokens = ApiToken.objects.usable_at(now).filter(digest=digest(secret))
        token = tokens.select_related("membership__user", "membership__organisation").first()
        if token and (token.last_used_at is None or now - token.last_used_at > SEEN_EVERY):
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        return token


def problem(status: int, detail: str) -> HttpResponse:
    body = {"type": "about:blank", "title": detail, "status": status, "detail": detail}
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JsonResponse(body, status=status, content_type="application/problem+json", headers=headers)


class ActingMiddleware:
    """Sets `user.acting`. Somebody whose last membership has ended is signed out with the next click."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user = request.user
        if isinstance(user, User) and user.acting is None:
            user.acting = self._membership(request, user)
            if user.acting is None and not user.is_superuser:
                logout(request)
        return self.get_response(request)

    def _membership(self, request: HttpRequest, user: User) -> Membership | None:
        chosen = request.session.get(ACTING_KEY)
        mine = list(
            Membership.objects.filter(user=user, ended_at=None).select_related("organisation").order_by("pk")
        )
        user.own_memberships = mine
        acting = next((m for m in mine if m.pk == chosen), mine[0] if mine else None)
        if acting is None:
            return None
        acting.user = user
        now = timezone.now()
        if acting.last_seen_at is None or now - acting.last_seen_at > SEEN_EVERY:
            Membership.objects.filter(pk=acting.pk).update(last_seen_at=now)
        return acting


def _zone(name: str) -> zoneinfo.ZoneInfo:
    """The zone of this name, UTC for one that is no longer known. Loaded once each; a list of all names would cost
    every request ten milliseconds."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return zoneinfo.ZoneInfo("UTC")


class LanguageMiddleware:
    """The person's language and time zone; for strangers what the browser asks for, and UTC."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user = request.user if isinstance(request.user, User) else None
        language = (user.language if user else "") or translation.get_language_from_request(request)
        zone = _zone(user.time_zone if user else "UTC")
        with translation.override(language), timezone.override(zone):
            request.LANGUAGE_CODE = translation.get_language() or "en"
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
            return response


class StaffSecondFactorMiddleware:
    """Staff always have a second factor while REQUIRE_STAFF_MFA is on; without one they can only set it up."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user = request.user
        if not settings.REQUIRE_STAFF_MFA or not isinstance(user, User):
            return self.get_response(request)
        needs_one = user.is_vendor_staff or user.is_superuser
        if needs_one and not request.path.startswith(("/account/", "/static/", "/health/")):
            types = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
            if not Authenticator.objects.filter(user=user, type__in=types).exists():
                if request.path.startswith("/api/"):
                    return problem(403, _("Set up a second factor in the portal first."))
                return redirect("mfa_activate_totp")
        return self.get_response(request)
