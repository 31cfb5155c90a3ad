"""The audit trail in words: what each code of an action means, and its details without Python or JSON."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from portal.pieces.times import day, full

ACTIONS: Final[Mapping[str, str | Promise]] = {
    "account.created": _("Made an account"),
    "account.deactivated": _("Closed an account"),
    "agreement.added": _("Added an agreement"),
    "contract.approved": _("Approved a contract"),
    "contract.co_terminated": _("Moved the end of a contract to that of another"),
    "contract.discarded": _("Discarded the draft of a contract"),
    "contract.drafted": _("Drafted a contract"),
    "contract.refused": _("Refused a contract"),
    "contract.registered": _("Registered a contract"),
    "contract.terminated": _("Terminated a contract"),
    "contracts.import_started": _("Started to import contracts"),
    "contracts.uploaded": _("Uploaded contracts"),
    "defect.changed": _("Changed a defect"),
    "defect.registered": _("Recorded a defect"),
    "delivery.sent_again": _("Had a message sent again"),
    "demo.loaded": _("Loaded the demo world"),
    "document.added": _("Added a document"),
    "document.agreed": _("Agreed to a document"),
    "document.out_of_date": _("Marked a document as out of date"),
    "document_task.cancelled": _("Cancelled work on a document"),
    "document_task.opened": _("Asked for work on a document"),
    "document_task.priced": _("Put a price on work on a document"),
    "drift.ended": _("Ended a deviation from the agreed release"),
    "drift.recorded": _("Recorded a deviation from the agreed release"),
    "end_user.confirmed": _("Confirmed an end user"),
    "end_user.merged": _("Merged an end user into another"),
    "end_user.refused": _("Refused an end user"),
    "end_user.requested": _("Asked for a new end user"),
    "end_user.taken_on": _("Took on an end user"),
    "exception.asked": _("Asked for an exception"),
    "exception.granted": _("Granted an exception"),
    "exception.granted_first": _("Granted an exception as the first of two"),
    "exception.refused": _("Refused an exception"),
    "exception.withdrawn": _("Withdrew an exception"),
    "install_task.asked": _("Asked for an installation"),
    "install_task.cancelled": _("Cancelled an installation"),
    "install_task.done": _("Recorded an installation as done"),
    "invitation.accepted": _("Accepted an invitation"),
    "invitation.created": _("Invited somebody"),
    "licence.accepted": _("Accepted a licence"),
    "membership.ended": _("Ended somebody's access"),
    "non_fulfilment.answered": _("Answered a notice of non-fulfilment"),
    "non_fulfilment.given": _("Gave notice of non-fulfilment"),
    "quote.asked": _("Asked for a quote"),
    "release.accepted": _("Accepted a release"),
    "release.draft_changed": _("Changed the draft of a release"),
    "release.drafted": _("Drafted a release"),
    "release.published": _("Published a release"),
    "release.verified": _("Checked the files of a release"),
    "release.withdrawn": _("Withdrew a release"),
    "quote.declined": _("Declined a request for a quote"),
    "quote.quoted": _("Answered a request for a quote"),
    "quote.withdrawn": _("Withdrew a request for a quote"),
    "requirement.met": _("Confirmed that a requirement is met"),
    "requirement.recorded": _("Recorded a requirement"),
    "requirement.retired": _("Retired a requirement"),
    "requirement.unmet": _("Recorded that a requirement is not met"),
    "software.changed": _("Changed a software"),
    "software.kind_changed": _("Changed the kind of a software"),
    "software.registered": _("Registered a software"),
    "token.created": _("Made a token"),
    "token.revoked": _("Revoked a token"),
}

KEYS: Final[Mapping[str, str | Promise]] = {
    "about": _("about"),
    "after": _("after"),
    "answer": _("answer"),
    "before": _("before"),
    "broken": _("fixed files changed or missing"),
    "cases": _("cases"),
    "codes": _("rules"),
    "country": _("country"),
    "done_on": _("done on"),
    "due_on": _("due on"),
    "end_user": _("end user"),
    "ends_on": _("ends before"),
    "from": pgettext_lazy("old value", "from"),
    "into": _("into"),
    "is_certain": _("certain"),
    "kind": _("kind"),
    "last_day": _("last day"),
    "means": _("by way of"),
    "note": _("note"),
    "order_differs": _("differs from the order"),
    "organisation": _("organisation"),
    "reason": _("reason"),
    "renews": _("renews"),
    "requirement": _("requirement"),
    "responsibility": _("responsibility"),
    "roles": _("roles"),
    "rows": _("rows"),
    "scope": _("scope"),
    "seed": _("seed"),
    "side": _("side"),
    "since": _("since"),
    "software": _("software"),
    "source": _("source"),
    "sow": _("statement of work"),
    "starts_on": _("starts on"),
    "successor": _("successor"),
    "target": _("contract that it ends with"),
    "to": _("to"),
    "version": _("version"),
    "what": _("for"),
}


_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)")
_CODE: Final = re.compile(r"[a-z]+(_[a-z]+)+")


def audit_action(code: str) -> str:
    """What was done, as a person says it; a code without words of its own loses its dots at least."""
    known = ACTIONS.get(code)
    return str(known) if known else code.replace(".", " ").replace("_", " ").capitalize()


def audit_detail(detail: Mapping[str, Any]) -> SafeString:
    """The details of an entry, each with its name; what is empty is left out."""
    rows = [(_key(key), _value(value)) for key, value in detail.items() if value not in (None, "", [], {})]
    return format_html_join(" · ", '<span class="fact">{}: {}</span>', rows)


def _key(key: str) -> str:
    known = KEYS.get(key)
    return str(known) if known else key.replace("_", " ")


def _value(value: Any) -> str:
    """A value of JSON in words: dates as dates, lists and pairs without their brackets."""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, Mapping):
        return format_html_join(", ", "{} {}", ((_key(key), _value(one)) for key, one in value.items()))
    if isinstance(value, list | tuple):
        return format_html_join(", ", "{}", ((_value(one),) for one in value))
    return "—" if value is None else _text(str(value))


def _text(text: str) -> str:
    """Dates and moments as the reader writes them; a code ("technical_contact") loses its underscores."""
    try:
        if _DATE.fullmatch(text):
            return day(date.fromisoformat(text))
        if _MOMENT.match(text):
            return full(datetime.fromisoformat(text))
    except ValueError:
        return text
    return text.replace("_", " ") if _CODE.fullmatch(text) else text
