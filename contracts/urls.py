from django.urls import URLPattern, URLResolver, path, register_converter
from django.urls.converters import StringConverter

from contracts.views import (
    contracts,
    cotermination,
    documents,
    end_users,
    exposure,
    glossary,
    imports,
    obligations,
    registration,
    releases,
    running,
    software,
    timeline,
)


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
    path("contracts/register/", registration.contract_register, name="contract_register"),
    path("contracts/timeline/", timeline.contract_timeline, name="contract_timeline"),
    path("contracts/align/", cotermination.contract_align, name="contract_align"),
    path("contracts/import/", imports.contract_import, name="contract_import"),
    path("contracts/import/template.csv", imports.contract_import_template, name="contract_import_template"),
    path("contracts/import/<int:pk>/", imports.contract_import_detail, name="contract_import_detail"),
    path("contracts/import/<int:pk>/start/", imports.contract_import_start, name="contract_import_start"),
    path("contracts/import/<int:pk>/bad.csv", imports.contract_import_bad, name="contract_import_bad"),
    path("contracts/end-users/", end_users.end_user_list, name="end_user_list"),
    path("contracts/end-users/confirm/", end_users.end_user_confirm, name="end_user_confirm"),
    path("contracts/end-users/<int:pk>/", end_users.end_user_detail, name="end_user_detail"),
    path("contracts/end-users/<int:pk>/take-on/", end_users.end_user_take_on, name="end_user_take_on"),
    path("contracts/end-users/<int:pk>/merge/", end_users.end_user_merge, name="end_user_merge"),
    path("contracts/end-users/<int:pk>/refuse/", end_users.end_user_refuse, name="end_user_refuse"),
    path("contracts/<contract_number:number>/", contracts.contract_detail, name="contract_detail"),
    path("contracts/<contract_number:number>/approve/", contracts.contract_approve, name="contract_approve"),
    path("contracts/<contract_number:number>/refuse/", contracts.contract_refuse, name="contract_refuse"),
    path(
        "contracts/<contract_number:number>/terminate/",
        contracts.contract_terminate,
        name="contract_terminate",
    ),
    path("contracts/<contract_number:number>/edit/", registration.contract_edit, name="contract_edit"),
    path(
        "contracts/<contract_number:number>/discard/", registration.contract_discard, name="contract_discard"
    ),
    path("software/", software.software_list, name="software_list"),
    path("software/new/", software.software_new, name="software_new"),
    path("software/<slug:slug>/", software.software_detail, name="software_detail"),
    path("software/<slug:slug>/edit/", software.software_edit, name="software_edit"),
    path("software/<slug:slug>/defects/", software.defect_list, name="defect_list"),
    path("software/<slug:slug>/defects/<int:pk>/", software.defect_edit, name="defect_edit"),
    path("software/<slug:slug>/exposure/", exposure.exposure_software, name="exposure_software"),
    path("software/<slug:slug>/new-release/", releases.release_new, name="release_new"),
    path("software/<slug:slug>/<version:version>/", releases.release_detail, name="release_detail"),
    path("software/<slug:slug>/<version:version>/edit/", releases.release_edit, name="release_edit"),
    path("software/<slug:slug>/<version:version>/accept/", releases.release_accept, name="release_accept"),
    path("software/<slug:slug>/<version:version>/publish/", releases.release_publish, name="release_publish"),
    path(
        "software/<slug:slug>/<version:version>/withdraw/", releases.release_withdraw, name="release_withdraw"
    ),
    path(
        "software/<slug:slug>/<version:version>/manifest/", releases.release_manifest, name="release_manifest"
    ),
    path("software/<slug:slug>/<version:version>/verify/", running.release_verify, name="release_verify"),
    path(
        "software/<slug:slug>/<version:version>/exposure/", exposure.exposure_release, name="exposure_release"
    ),
    path(
        "software/<slug:slug>/<version:version>/ask-to-install/",
        running.install_task_new,
        name="install_task_new",
    ),
    path("install-tasks/", running.install_task_list, name="install_task_list"),
    path("install-tasks/<int:pk>/", running.install_task, name="install_task"),
    path("install-tasks/<int:pk>/done/", running.install_task_done, name="install_task_done"),
    path("install-tasks/<int:pk>/cancel/", running.install_task_cancel, name="install_task_cancel"),
    path("integrity/", running.integrity_list, name="integrity_list"),
    path("integrity/<int:pk>/", running.integrity_check, name="integrity_check"),
    path("drifts/<int:pk>/end/", running.drift_end, name="drift_end"),
    path("drifts/<int:pk>/evidence/", running.drift_evidence, name="drift_evidence"),
    path("drifts/<slug:slug>/new/", running.drift_new, name="drift_new"),
    # documents, obligations, agreements
    path("documents/tasks/", documents.document_task_list, name="document_task_list"),
    path("documents/tasks/<int:pk>/", documents.document_task, name="document_task"),
    path("documents/tasks/<int:pk>/price/", documents.document_task_price, name="document_task_price"),
    path("documents/tasks/<int:pk>/cancel/", documents.document_task_cancel, name="document_task_cancel"),
    path("documents/<slug:organisation>/<slug:software>/", documents.document_list, name="document_list"),
    path("documents/<slug:organisation>/<slug:software>/new/", documents.document_new, name="document_new"),
    path(
        "documents/<slug:organisation>/<slug:software>/<int:pk>/file/",
        documents.document_file,
        name="document_file",
    ),
    path(
        "documents/<slug:organisation>/<slug:software>/<int:pk>/agree/",
        documents.document_agree,
        name="document_agree",
    ),
    path(
        "documents/<slug:organisation>/<slug:software>/<int:pk>/out-of-date/",
        documents.document_out_of_date,
        name="document_out_of_date",
    ),
    path(
        "contracts/<contract_number:number>/requirements/new/",
        obligations.requirement_new,
        name="requirement_new",
    ),
    path(
        "contracts/<contract_number:number>/requirements/<int:pk>/met/",
        obligations.requirement_meet,
        name="requirement_meet",
    ),
    path(
        "contracts/<contract_number:number>/requirements/<int:pk>/unmet/",
        obligations.requirement_unmeet,
        name="requirement_unmeet",
    ),
    path(
        "contracts/<contract_number:number>/requirements/<int:pk>/retire/",
        obligations.requirement_retire,
        name="requirement_retire",
    ),
    path(
        "contracts/<contract_number:number>/notices/new/",
        obligations.non_fulfilment_new,
        name="non_fulfilment_new",
    ),
    path(
        "contracts/<contract_number:number>/notices/<int:pk>/",
        obligations.non_fulfilment_answer,
        name="non_fulfilment_answer",
    ),
    path("help/glossary/", glossary.glossary, name="glossary"),
    path("agreements/", glossary.agreement_list, name="agreement_list"),
    path("agreements/new/", glossary.agreement_new, name="agreement_new"),
    path("agreements/<int:pk>/", glossary.agreement_detail, name="agreement_detail"),
]
