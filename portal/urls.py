from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from portal import views

handler400 = "portal.views.bad_request"
handler403 = "portal.views.forbidden"
handler404 = "portal.views.not_found"
handler500 = "portal.views.server_error"

urlpatterns = [
    path("", views.home, name="home"),
    path("help/", views.help_page, name="help"),
    path("search/", include("cases.search_urls")),
    path("account/", include("accounts.account_urls")),
    path("account/", include("allauth.urls")),
    path("", include("accounts.urls")),
    path("", include("contracts.urls")),
    path("", include("entitlements.urls")),
    path("", include("cases.urls")),
    path("metrics", views.metrics, name="metrics"),
    path("api/", include("portal.api_urls")),
    path("admin/", admin.site.urls),
    path("favicon.ico", RedirectView.as_view(url=f"{settings.STATIC_URL}favicon.svg"), name="favicon"),
]
