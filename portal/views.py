"""The first screen, help, metrics, and the error pages."""

import hmac

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.shortcuts import render
from django.template import loader
from django_prometheus.exports import ExportToDjangoView


def home(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/home.html")


def help_page(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/help.html")


@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus: from this machine, or with the METRICS_TOKEN."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    wanted = settings.METRICS_TOKEN
    is_local = (
        request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1") and "X-Forwarded-For" not in request.headers
    )
    if is_local or (wanted and hmac.compare_digest(token, wanted)):
        response: HttpResponse = ExportToDjangoView(request)
        return response
    return HttpResponseNotFound(loader.render_to_string("404.html", request=request))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", {"reason": str(exception)}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    return HttpResponse(loader.get_template("500.html").render(), status=500)
