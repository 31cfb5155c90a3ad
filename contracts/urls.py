from django.urls import URLPattern, URLResolver, path

from contracts.views import contracts, software

urlpatterns: list[URLPattern | URLResolver] = [
    path("contracts/", contracts.contract_list, name="contract_list"),
    path("contracts/register/", contracts.contract_register, name="contract_register"),
    path("contracts/<str:number>/", contracts.contract_detail, name="contract_detail"),
    path("contracts/<str:number>/approve/", contracts.contract_approve, name="contract_approve"),
    path("contracts/<str:number>/refuse/", contracts.contract_refuse, name="contract_refuse"),
    path("software/", software.software_list, name="software_list"),
    path("software/<slug:slug>/", software.software_detail, name="software_detail"),
    path("software/<slug:slug>/new-release/", software.release_new, name="release_new"),
    path("software/<slug:slug>/<str:version>/", software.release_detail, name="release_detail"),
    path("software/<slug:slug>/<str:version>/accept/", software.release_accept, name="release_accept"),
    path("software/<slug:slug>/<str:version>/publish/", software.release_publish, name="release_publish"),
]
