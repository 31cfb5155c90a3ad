"""The pages of cases. A case is named by its number, `YYYY-MMDD-NNNN`."""

from django.urls import URLPattern, URLResolver, path, register_converter

from cases.views import changes, escalations, lists, opening, page, queues, talk


class CaseNumber:
    """Anything else is no case; it is not even asked for."""

    regex = r"[0-9]{4}-[0-9]{4}-[0-9]{4,9}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(CaseNumber, "case")

urlpatterns: list[URLPattern | URLResolver] = [
    path("cases/", lists.case_list, name="case_list"),
    path("cases/new/", opening.case_new, name="case_new"),
    path("cases/new/coverage/", opening.case_coverage, name="case_coverage"),
    path("cases/<case:number>/", page.case_detail, name="case_detail"),
    path("cases/<case:number>/files/<uuid:file>/", page.case_file, name="case_file"),
    path("cases/<case:number>/reply/", talk.case_reply, name="case_reply"),
    path("cases/<case:number>/note/", talk.case_note, name="case_note"),
    path("cases/<case:number>/take/", changes.case_take, name="case_take"),
    path("cases/<case:number>/assign/", changes.case_assign, name="case_assign"),
    path("cases/<case:number>/ask/", changes.case_ask, name="case_ask"),
    path("cases/<case:number>/state/", changes.case_state, name="case_state"),
    path("cases/<case:number>/raise-priority/", changes.case_raise_priority, name="case_raise_priority"),
    path("cases/<case:number>/lower-priority/", changes.case_lower_priority, name="case_lower_priority"),
    path("cases/<case:number>/restored/", changes.case_restored, name="case_restored"),
    path(
        "cases/<case:number>/deny-restoration/", changes.case_deny_restoration, name="case_deny_restoration"
    ),
    path("cases/<case:number>/propose/", changes.case_propose, name="case_propose"),
    path("cases/<case:number>/accept/", changes.case_accept, name="case_accept"),
    path("cases/<case:number>/reject/", changes.case_reject, name="case_reject"),
    path("cases/<case:number>/request-closure/", changes.case_request_closure, name="case_request_closure"),
    path("cases/<case:number>/close/", changes.case_close, name="case_close"),
    path("cases/<case:number>/reopen/", changes.case_reopen, name="case_reopen"),
    path("cases/<case:number>/escalate/", changes.case_escalate, name="case_escalate"),
    path("queues/", queues.queue_list, name="queue_list"),
    path("queues/news/", queues.queue_news, name="queue_news"),
    path("queues/next/", queues.queue_next, name="queue_next"),
    path("escalations/", escalations.escalation_list, name="escalation_list"),
]
