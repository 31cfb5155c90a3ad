"""Who gets what from each URL, with an empty request, when the object is Acme's.

A cell is "status people; status people"; `all` are the members not named, `everybody` includes strangers.
anna contact, alice technical contact and account manager (both of Acme), mallory of the lapsed rival, remy the
reseller, sam engineer, lena duty manager, paula Professional Services, ada CSC administrator, aki auditor, root.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    get: str
    post: str


ROWS = {
    "uploads": Row(
        get="405 all",
        post="403 aki root; 412 all",
    ),
    "upload": Row(
        get="405 all",
        post="405 all",
    ),
    "home": Row(
        get="200 all",
        post="405 all",
    ),
    "help": Row(
        get="200 all",
        post="405 all",
    ),
    "search": Row(
        get="200 all",
        post="405 all",
    ),
    "profile": Row(
        get="200 all",
        post="422 all",
    ),
    "act_for": Row(
        get="405 all",
        post="404 all",
    ),
    "set_language": Row(
        get="405 everybody",
        post="302 all",
    ),
    "set_theme": Row(
        get="405 everybody",
        post="302 all",
    ),
    "token_list": Row(
        get="200 all",
        post="403 root; 422 all",
    ),
    "token_revoke": Row(
        get="405 all",
        post="302 anna; 404 all",
    ),
    "invitation": Row(
        get="404 everybody",
        post="404 everybody",
    ),
    "people_list": Row(
        get="200 all",
        post="405 all",
    ),
    "people_invite": Row(
        get="200 alice ada; 403 all",
        post="422 alice ada; 403 all",
    ),
    "person_detail": Row(
        get="404 mallory remy root; 200 all",
        post="405 all",
    ),
    "membership_end": Row(
        get="405 all",
        post="422 alice ada; 403 all",
    ),
    "account_deactivate": Row(
        get="405 all",
        post="422 ada; 403 all",
    ),
    "organisation_list": Row(
        get="200 all",
        post="405 all",
    ),
    "audit_list": Row(
        get="200 ada aki; 403 all",
        post="405 all",
    ),
    "inbox": Row(
        get="200 all",
        post="405 all",
    ),
    "inbox_read_all": Row(
        get="405 all",
        post="302 all",
    ),
    "inbox_open": Row(
        get="302 lena; 404 all",
        post="405 all",
    ),
    "message_acknowledge": Row(
        get="405 all",
        post="302 lena; 404 all",
    ),
    "engine": Row(
        get="200 sam lena ada aki; 403 all",
        post="405 all",
    ),
    "delivery_send_again": Row(
        get="405 all",
        post="302 lena ada; 403 all",
    ),
    "contract_list": Row(
        get="200 all",
        post="405 all",
    ),
    "contract_register": Row(
        get="200 remy ada; 403 all",
        post="422 remy ada; 403 all",
    ),
    "contract_detail": Row(
        get="404 mallory remy root; 200 all",
        post="405 all",
    ),
    "contract_approve": Row(
        get="405 all",
        post="404 mallory root; 422 ada; 403 all",
    ),
    "contract_refuse": Row(
        get="405 all",
        post="404 mallory root; 422 ada; 403 all",
    ),
    "contract_terminate": Row(
        get="404 mallory remy root; 200 ada; 403 all",
        post="404 mallory remy root; 422 ada; 403 all",
    ),
    "contract_edit": Row(
        get="200 remy; 404 all",
        post="422 remy; 404 all",
    ),
    "contract_discard": Row(
        get="405 all",
        post="302 remy; 404 all",
    ),
    "contract_timeline": Row(
        get="200 all",
        post="405 all",
    ),
    "contract_align": Row(
        get="200 remy ada; 403 all",
        post="405 all",
    ),
    "contract_import": Row(
        get="200 remy ada; 403 all",
        post="422 remy ada; 403 all",
    ),
    "contract_import_template": Row(
        get="200 remy ada; 403 all",
        post="405 all",
    ),
    "contract_import_detail": Row(
        get="200 remy ada; 404 all",
        post="405 all",
    ),
    "contract_import_start": Row(
        get="405 all",
        post="302 remy ada; 404 all",
    ),
    "contract_import_bad": Row(
        get="200 remy ada; 404 all",
        post="405 all",
    ),
    "end_user_list": Row(
        get="200 all",
        post="405 all",
    ),
    "end_user_confirm": Row(
        get="404 all",
        post="404 all",
    ),
    "end_user_detail": Row(
        get="404 anna alice mallory root; 200 all",
        post="405 all",
    ),
    "end_user_take_on": Row(
        get="405 all",
        post="404 anna alice mallory root; 302 ada; 403 all",
    ),
    "end_user_merge": Row(
        get="405 all",
        post="404 anna alice mallory root; 422 ada; 403 all",
    ),
    "end_user_refuse": Row(
        get="405 all",
        post="404 anna alice mallory root; 422 ada; 403 all",
    ),
    "document_list": Row(
        get="200 anna alice sam lena paula ada aki; 404 all",
        post="405 all",
    ),
    "document_new": Row(
        get="200 paula; 404 mallory remy root; 403 all",
        post="422 paula; 404 mallory remy root; 403 all",
    ),
    "document_file": Row(
        get="200 anna alice sam lena paula ada aki; 404 all",
        post="405 all",
    ),
    "document_agree": Row(
        get="405 all",
        post="302 alice paula; 404 mallory remy root; 403 all",
    ),
    "document_out_of_date": Row(
        get="405 all",
        post="302 paula; 404 mallory remy root; 403 all",
    ),
    "document_task_list": Row(
        get="200 paula ada; 403 all",
        post="405 all",
    ),
    "document_task": Row(
        get="200 paula ada; 404 mallory root; 403 all",
        post="405 all",
    ),
    "document_task_price": Row(
        get="405 all",
        post="422 paula ada; 404 mallory root; 403 all",
    ),
    "document_task_cancel": Row(
        get="405 all",
        post="422 paula ada; 404 mallory root; 403 all",
    ),
    "requirement_new": Row(
        get="200 sam lena paula ada; 404 mallory remy root; 403 all",
        post="422 sam lena paula ada; 404 mallory remy root; 403 all",
    ),
    "requirement_meet": Row(
        get="200 alice; 404 mallory remy root; 403 all",
        post="302 alice; 404 mallory remy root; 403 all",
    ),
    "requirement_unmeet": Row(
        get="405 all",
        post="302 alice sam lena paula ada; 404 mallory remy root; 403 all",
    ),
    "requirement_retire": Row(
        get="405 all",
        post="302 sam lena paula ada; 404 mallory remy root; 403 all",
    ),
    "non_fulfilment_new": Row(
        get="200 anna alice; 404 mallory remy root; 403 all",
        post="422 anna alice; 404 mallory remy root; 403 all",
    ),
    "non_fulfilment_answer": Row(
        get="200 sam lena paula ada; 404 mallory remy root; 403 all",
        post="422 sam lena paula ada; 404 mallory remy root; 403 all",
    ),
    "glossary": Row(
        get="200 all",
        post="405 all",
    ),
    "agreement_list": Row(
        get="200 all",
        post="405 all",
    ),
    "agreement_detail": Row(
        get="404 root; 200 all",
        post="405 all",
    ),
    "agreement_new": Row(
        get="200 ada; 403 all",
        post="422 ada; 403 all",
    ),
    "software_list": Row(
        get="200 all",
        post="405 all",
    ),
    "software_detail": Row(
        get="404 root; 200 all",
        post="405 all",
    ),
    "release_new": Row(
        get="200 sam lena paula; 404 root; 403 all",
        post="404 root; 422 sam lena paula; 403 all",
    ),
    "release_detail": Row(
        get="404 root; 200 all",
        post="405 all",
    ),
    "release_accept": Row(
        get="405 all",
        post="302 alice mallory; 404 root; 403 all",
    ),
    "release_publish": Row(
        get="405 all",
        post="302 paula; 403 sam lena; 404 all",
    ),
    "software_new": Row(
        get="200 paula; 403 all",
        post="422 paula; 403 all",
    ),
    "software_edit": Row(
        get="200 paula; 404 root; 403 all",
        post="422 paula; 404 root; 403 all",
    ),
    "defect_list": Row(
        get="404 root; 200 all",
        post="404 root; 422 sam lena paula; 403 all",
    ),
    "defect_edit": Row(
        get="200 sam lena paula; 404 root; 403 all",
        post="422 sam lena paula; 404 root; 403 all",
    ),
    "exposure_software": Row(
        get="200 sam lena paula ada aki; 404 root; 403 all",
        post="405 all",
    ),
    "exposure_release": Row(
        get="200 sam lena paula ada aki; 404 root; 403 all",
        post="405 all",
    ),
    "release_edit": Row(
        get="200 sam lena paula; 404 all",
        post="422 sam lena paula; 404 all",
    ),
    "release_withdraw": Row(
        get="405 all",
        post="422 paula; 404 root; 403 all",
    ),
    "release_manifest": Row(
        get="404 root; 200 all",
        post="405 all",
    ),
    "release_verify": Row(
        get="200 anna alice mallory; 404 root; 403 all",
        post="422 anna alice mallory; 404 root; 403 all",
    ),
    "install_task_new": Row(
        get="200 sam lena paula; 404 root; 403 all",
        post="422 sam lena paula; 404 root; 403 all",
    ),
    "install_task_list": Row(
        get="200 all",
        post="405 all",
    ),
    "install_task": Row(
        get="404 mallory remy root; 200 all",
        post="405 all",
    ),
    "install_task_done": Row(
        get="405 all",
        post="422 alice; 404 mallory remy root; 403 all",
    ),
    "install_task_cancel": Row(
        get="405 all",
        post="422 sam lena paula; 404 mallory remy root; 403 all",
    ),
    "integrity_list": Row(
        get="200 all",
        post="405 all",
    ),
    "integrity_check": Row(
        get="404 mallory remy root; 200 all",
        post="405 all",
    ),
    "drift_end": Row(
        get="200 sam lena paula; 404 mallory remy root; 403 all",
        post="422 sam lena paula; 404 mallory remy root; 403 all",
    ),
    "drift_evidence": Row(
        get="404 mallory remy root; 200 all",
        post="405 all",
    ),
    "drift_new": Row(
        get="200 sam lena paula; 404 mallory root; 403 all",
        post="422 sam lena paula; 404 mallory root; 403 all",
    ),
    "coverage": Row(
        get="200 all",
        post="405 all",
    ),
    "coverage_organisation": Row(
        get="404 mallory root; 200 all",
        post="405 all",
    ),
    "decision_detail": Row(
        get="404 mallory remy root; 200 all",
        post="405 all",
    ),
    "download_list": Row(
        get="200 anna alice mallory; 403 all",
        post="405 all",
    ),
    "download_file": Row(
        get="404 root; 403 mallory remy ada aki; 200 all",
        post="405 all",
    ),
    "licence_accept": Row(
        get="200 anna alice; 404 mallory; 403 all",
        post="302 anna alice; 404 mallory; 403 all",
    ),
    "request_list": Row(
        get="200 all",
        post="405 all",
    ),
    "exception_new": Row(
        get="200 anna alice mallory; 403 all",
        post="422 anna alice mallory; 403 all",
    ),
    "exception_detail": Row(
        get="404 mallory remy root; 200 all",
        post="405 all",
    ),
    "exception_grant": Row(
        get="405 all",
        post="422 ada; 404 mallory remy root; 403 all",
    ),
    "exception_second": Row(
        get="405 all",
        post="422 ada; 404 mallory remy root; 403 all",
    ),
    "exception_refuse": Row(
        get="405 all",
        post="422 ada; 404 mallory remy root; 403 all",
    ),
    "exception_withdraw": Row(
        get="405 all",
        post="302 anna alice; 404 mallory remy root; 403 all",
    ),
    "quote_new": Row(
        get="200 anna alice mallory remy; 403 all",
        post="422 anna alice mallory remy; 403 all",
    ),
    "quote_detail": Row(
        get="404 mallory remy root; 200 all",
        post="405 all",
    ),
    "quote_answer": Row(
        get="405 all",
        post="422 paula; 404 mallory remy root; 403 all",
    ),
    "quote_decline": Row(
        get="405 all",
        post="422 paula; 404 mallory remy root; 403 all",
    ),
    "quote_withdraw": Row(
        get="405 all",
        post="302 anna alice; 404 mallory remy root; 403 all",
    ),
    "notice_list": Row(
        get="200 all",
        post="405 all",
    ),
    "case_list": Row(
        get="200 all",
        post="405 all",
    ),
    "case_new": Row(
        get="403 remy paula ada aki root; 200 all",
        post="200 sam lena; 400 anna alice mallory; 403 all",
    ),
    "case_coverage": Row(
        get="200 anna alice mallory; 403 all",
        post="405 all",
    ),
    "case_detail": Row(
        get="404 mallory remy paula ada root; 200 all",
        post="405 all",
    ),
    "case_file": Row(
        get="404 mallory remy paula ada root; 200 all",
        post="405 all",
    ),
    "case_reply": Row(
        get="405 all",
        post="400 anna alice sam lena; 403 aki; 404 all",
    ),
    "case_note": Row(
        get="405 all",
        post="400 sam lena; 403 anna alice aki; 404 all",
    ),
    "case_take": Row(
        get="405 all",
        post="302 sam lena; 404 mallory remy paula ada root; 403 all",
    ),
    "case_assign": Row(
        get="200 sam lena; 403 anna alice aki; 404 all",
        post="400 sam lena; 404 mallory remy paula ada root; 403 all",
    ),
    "case_ask": Row(
        get="200 sam lena; 403 anna alice aki; 404 all",
        post="400 sam lena; 403 anna alice aki; 404 all",
    ),
    "case_state": Row(
        get="200 sam lena; 403 anna alice aki; 404 all",
        post="400 sam lena; 403 anna alice aki; 404 all",
    ),
    "case_raise_priority": Row(
        get="200 anna alice sam lena; 403 aki; 404 all",
        post="400 anna alice sam lena; 403 aki; 404 all",
    ),
    "case_lower_priority": Row(
        get="200 sam lena; 403 anna alice aki; 404 all",
        post="400 sam lena; 403 anna alice aki; 404 all",
    ),
    "case_restored": Row(
        get="200 sam lena; 403 anna alice aki; 404 all",
        post="302 sam lena; 404 mallory remy paula ada root; 403 all",
    ),
    "case_deny_restoration": Row(
        get="200 anna alice sam lena; 403 aki; 404 all",
        post="400 anna alice sam lena; 403 aki; 404 all",
    ),
    "case_propose": Row(
        get="200 sam lena; 403 anna alice aki; 404 all",
        post="400 sam lena; 403 anna alice aki; 404 all",
    ),
    "case_accept": Row(
        get="200 anna alice; 403 sam lena aki; 404 all",
        post="409 anna alice; 404 mallory remy paula ada root; 403 all",
    ),
    "case_reject": Row(
        get="200 anna alice; 403 sam lena aki; 404 all",
        post="400 anna alice; 403 sam lena aki; 404 all",
    ),
    "case_request_closure": Row(
        get="200 anna alice; 403 sam lena aki; 404 all",
        post="302 anna alice; 404 mallory remy paula ada root; 403 all",
    ),
    "case_close": Row(
        get="200 sam lena; 403 anna alice aki; 404 all",
        post="400 sam lena; 403 anna alice aki; 404 all",
    ),
    "case_reopen": Row(
        get="200 anna alice sam lena; 403 aki; 404 all",
        post="400 anna alice sam lena; 403 aki; 404 all",
    ),
    "case_escalate": Row(
        get="200 anna alice; 403 sam lena aki; 404 all",
        post="400 anna alice; 403 sam lena aki; 404 all",
    ),
    "queue_list": Row(
        get="200 sam lena aki; 403 all",
        post="405 all",
    ),
    "queue_news": Row(
        get="200 sam lena aki; 403 all",
        post="405 all",
    ),
    "queue_next": Row(
        get="302 sam lena aki; 403 all",
        post="405 all",
    ),
    "escalation_list": Row(
        get="200 sam lena aki; 403 all",
        post="405 all",
    ),
    "mail_list": Row(
        get="404 all",
        post="405 all",
    ),
    "mail_detail": Row(
        get="404 all",
        post="405 all",
    ),
    "health_live": Row(
        get="200 everybody",
        post="405 everybody",
    ),
    "health_ready": Row(
        get="200 everybody",
        post="405 everybody",
    ),
    "health_engine": Row(
        get="503 everybody",
        post="405 everybody",
    ),
    "metrics": Row(
        get="200 everybody",
        post="405 everybody",
    ),
    "api_case-list": Row(
        get="403 root; 200 all",
        post="400 anna alice mallory sam lena; 403 all",
    ),
    "api_case-detail": Row(
        get="403 root; 404 mallory remy paula ada; 200 all",
        post="403 root; 405 all",
    ),
    "api_case-accept": Row(
        get="403 root; 405 all",
        post="404 mallory remy paula ada; 409 anna alice; 403 all",
    ),
    "api_case-assign": Row(
        get="403 root; 405 all",
        post="400 sam lena; 404 mallory remy paula ada; 403 all",
    ),
    "api_case-attachment": Row(
        get="403 root; 404 mallory remy paula ada; 200 all",
        post="403 root; 405 all",
    ),
    "api_case-attachments": Row(
        get="403 root; 405 all",
        post="400 anna alice sam lena; 404 mallory remy paula ada; 403 all",
    ),
    "api_case-escalate": Row(
        get="403 root; 405 all",
        post="400 anna alice; 404 mallory remy paula ada; 403 all",
    ),
    "api_case-events": Row(
        get="403 root; 404 mallory remy paula ada; 200 all",
        post="403 root; 405 all",
    ),
    "api_case-note": Row(
        get="403 root; 405 all",
        post="400 sam lena; 404 mallory remy paula ada; 403 all",
    ),
    "api_case-priority": Row(
        get="403 root; 405 all",
        post="400 anna alice sam lena; 404 mallory remy paula ada; 403 all",
    ),
    "api_case-reject": Row(
        get="403 root; 405 all",
        post="400 anna alice; 404 mallory remy paula ada; 403 all",
    ),
    "api_case-reopen": Row(
        get="403 root; 405 all",
        post="400 anna alice sam lena; 404 mallory remy paula ada; 403 all",
    ),
    "api_case-reply": Row(
        get="403 root; 405 all",
        post="400 anna alice sam lena; 404 mallory remy paula ada; 403 all",
    ),
    "api_case-request-closure": Row(
        get="403 root; 405 all",
        post="200 anna alice; 404 mallory remy paula ada; 403 all",
    ),
    "api_case-state": Row(
        get="403 root; 405 all",
        post="400 sam lena; 404 mallory remy paula ada; 403 all",
    ),
    "api_contract-list": Row(
        get="403 root; 200 all",
        post="400 remy ada; 403 all",
    ),
    "api_contract-renew": Row(
        get="403 root; 405 all",
        post="400 ada; 404 mallory remy; 403 all",
    ),
    "api_contract-detail": Row(
        get="403 root; 404 mallory remy; 200 all",
        post="403 root; 405 all",
    ),
    "api_contract-approve": Row(
        get="403 root; 405 all",
        post="400 ada; 404 mallory; 403 all",
    ),
    "api_contract-refuse": Row(
        get="403 root; 405 all",
        post="400 ada; 404 mallory; 403 all",
    ),
    "api_software-list": Row(
        get="403 root; 200 all",
        post="403 root; 405 all",
    ),
    "api_software-detail": Row(
        get="403 root; 200 all",
        post="403 root; 405 all",
    ),
    "api_release-list": Row(
        get="403 root; 200 all",
        post="403 root; 405 all",
    ),
    "api_release-detail": Row(
        get="403 root; 200 all",
        post="403 root; 405 all",
    ),
    "api_release-manifest": Row(
        get="403 root; 200 all",
        post="403 root; 405 all",
    ),
    "api_release-publish": Row(
        get="403 root; 405 all",
        post="200 paula; 403 sam lena root; 404 all",
    ),
    "api_coverage-list": Row(
        get="403 root; 400 all",
        post="403 root; 405 all",
    ),
    "api_decision-list": Row(
        get="403 root; 200 all",
        post="403 root; 405 all",
    ),
    "api_decision-detail": Row(
        get="403 root; 404 mallory remy; 200 all",
        post="403 root; 405 all",
    ),
    "api_schema": Row(
        get="403 root; 200 all",
        post="403 root; 405 all",
    ),
    "api_docs": Row(
        get="403 root; 200 all",
        post="403 root; 405 all",
    ),
    "favicon": Row(
        get="302 all",
        post="405 everybody",
    ),
}
