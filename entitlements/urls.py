from django.urls import URLPattern, URLResolver, path

from entitlements.views import coverage, decisions, downloads, notices, requests

urlpatterns: list[URLPattern | URLResolver] = [
    path("coverage/", coverage.coverage, name="coverage"),
    path("coverage/<slug:slug>/", coverage.coverage_organisation, name="coverage_organisation"),
    path("decisions/<int:pk>/", decisions.decision_detail, name="decision_detail"),
    path("downloads/", downloads.download_list, name="download_list"),
    path("downloads/<int:pk>/", downloads.download_file, name="download_file"),
    path("downloads/licences/<int:pk>/accept/", downloads.licence_accept, name="licence_accept"),
    path("notices/", notices.notice_list, name="notice_list"),
    path("requests/", requests.request_list, name="request_list"),
    path("requests/exceptions/new/", requests.exception_new, name="exception_new"),
    path("requests/exceptions/<int:pk>/", requests.exception_detail, name="exception_detail"),
    path("requests/exceptions/<int:pk>/grant/", requests.exception_grant, name="exception_grant"),
    path("requests/exceptions/<int:pk>/second/", requests.exception_second, name="exception_second"),
    path("requests/exceptions/<int:pk>/refuse/", requests.exception_refuse, name="exception_refuse"),
    path("requests/exceptions/<int:pk>/withdraw/", requests.exception_withdraw, name="exception_withdraw"),
    path("requests/quotes/new/", requests.quote_new, name="quote_new"),
    path("requests/quotes/<int:pk>/", requests.quote_detail, name="quote_detail"),
    path("requests/quotes/<int:pk>/answer/", requests.quote_answer, name="quote_answer"),
    path("requests/quotes/<int:pk>/decline/", requests.quote_decline, name="quote_decline"),
    path("requests/quotes/<int:pk>/withdraw/", requests.quote_withdraw, name="quote_withdraw"),
]
