from django.urls import URLPattern, URLResolver, path, register_converter
from django.urls.converters import StringConverter

from contracts.views import contracts, software


class NumberConverter(StringConverter):
    """A contract's number; anything else is no address of ours."""

    regex = "CS-[0-9]{4}-[0-9]{4,7}"


class VersionConverter(StringConverter):
    """A version is free text; what PostgreSQL cannot hold is no address of ours."""

    regex = r"[^/\x00]{1,64}"


register_converter(NumberConverter, "contract_number")
register_converter(VersionConverter, "version")

urlpatterns: list[URLPattern | URLResolver] = [
    path("contracts/", contracts.contract_list, name="contract_list"),
    path("contracts/register/", contracts.contract_register, name="contract_register"),
    path("contracts/<contract_number:number>/", contracts.contract_detail, name="contract_detail"),
    path("contracts/<contract_number:number>/approve/", contracts.contract_approve, name="contract_approve"),
    path("contracts/<contract_number:number>/refuse/", contracts.contract_refuse, name="contract_refuse"),
    path("software/", software.software_list, name="software_list"),
    path("software/<slug:slug>/", software.software_detail, name="software_detail"),
    path("software/<slug:slug>/new-release/", software.release_new, name="release_new"),
    path("software/<slug:slug>/<version:version>/", software.release_detail, name="release_detail"),
    path("software/<slug:slug>/<version:version>/accept/", software.release_accept, name="release_accept"),
    path("software/<slug:slug>/<version:version>/publish/", software.release_publish, name="release_publish"),
]
