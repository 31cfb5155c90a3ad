"""The first screen of each kind of person, help, metrics, and the error pages."""

import hmac

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from accounts.middleware import current_user
from entitlements.models import Policy
from portal import first_screens


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    screen = first_screens.first_screen(current_user(request), timezone.now())
    return render(
        request,
        "portal/home.html",
        {"template": screen.template, "heading": screen.heading, **screen.context},
    )


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Made from the live configuration; informational only (C74)."""
    policy = Policy.objects.in_force_at(timezone.now())
    context = {
        "targets": policy.targets.order_by("priority"),
        "rungs": policy.rungs.order_by("priority", "level"),
        "policy": policy,
    }
    return render(request, "portal/help.html", context)


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus: from this machine, or with the METRICS_TOKEN; to anybody else it does not exist."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
    wanted = settings.METRICS_TOKEN.encode()
    is_proxied = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    is_local = request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1") and not is_proxied
    if not is_local and not (wanted and hmac.compare_digest(given, wanted)):
        raise Http404
    response: HttpResponse = ExportToDjangoView(request)
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", {"reason": str(exception)}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without context processors: they may be what failed."""
    return HttpResponse(loader.get_template("500.html").render(), status=500)
