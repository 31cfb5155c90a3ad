from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from portal import health, mail_views, views
from portal.admin_site import read_only_site

handler400 = "portal.views.bad_request"
handler403 = "portal.views.forbidden"
handler404 = "portal.views.not_found"
handler500 = "portal.views.server_error"

favicon = login_not_required(require_safe(RedirectView.as_view(url=f"{settings.STATIC_URL}favicon.svg")))

urlpatterns = [
    path("", views.home, name="home"),
    path("help/", views.help_page, name="help"),
    path("search/", include("cases.search_urls")),
    path("account/", include("accounts.account_urls")),
    path("account/", include("allauth.urls")),
    path("", include("accounts.urls")),
    path("", include("files.urls")),
    path("", include("notifications.urls")),
    path("", include("contracts.urls")),
    path("", include("entitlements.urls")),
    path("", include("cases.urls")),
    path("engine/mail/", mail_views.mail_list, name="mail_list"),
    path("engine/mail/<str:name>/", mail_views.mail_detail, name="mail_detail"),
    path("health/live", health.health_live, name="health_live"),
    path("health/ready", health.health_ready, name="health_ready"),
    path("health/engine", health.health_engine, name="health_engine"),
    path("metrics", views.metrics, name="metrics"),
    path("api/", include("portal.api_urls")),
    path("admin/", read_only_site().urls),
    path("favicon.ico", favicon, name="favicon"),
]
