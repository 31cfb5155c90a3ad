"""`{% load pieces %}`: every piece of the design, one line of usage each. The code is in `portal/pieces/`.

Chips
  {% icon "bell" %}  {% icon "bell" 20 %}  {% icon "bell" label=_("Inbox") %}    lucide; aria-hidden unless labelled
  {% priority_chip case.priority %}  {% priority_chip "P1" name=True %}          letter and shape (and "Critical")
  {% state_chip case.state %}  {% state_chip case.state detail="2.6.1-p3" for_customer=True %}
  {% badge "ok" _("In force") %}                                                 looks: ok warn late info ""
  {% person case.owner %}  {% person user large=True %}  {% person None empty=_("Nobody yet") %}
  {% organisation case.organisation %}  {% organisation org href=url %}
  {% verdict True _("Covered until 31 March 2027 by CS-2026-0117") %}            shield and words; False: not covered
  {% file_row name href size_bytes sha256 state="ready" %}                       in <ul class="files"><li>
       states: ready uploading scanning quarantined removed
  {% copy_button text %}  {% copy_button text label=_("Copy the number") %}
  {{ user.name|initials }}  <a href="tel:{{ phone|tel }}">{{ phone }}</a>  {{ bytes|size }}  {{ user_agent|browser }}
Moments (aware datetimes, shown in the active zone; `now` is optional everywhere)
  {% timestamp at %}                  "22 Nov 2026 01:41 PST", UTC on hover
  {% timestamp at now=now %}          adds "· 4 min ago"
  {% timestamp at style="short" %}    only the time if today;  style="second" with seconds
  {% ago at now=now %}                "4 min ago", after two days the date; exact on hover and for screen readers
  {{ date|day }}                      "31 March 2027";  {{ delta|span }} "3 h 10 min"
  {% clock due_at started_at=a met_at=b paused="log files asked" now=now label=_("next update") %}
  {% gauge started_at due_at met_at=b paused=p now=now %}                        thin bar under a clock
  {% coverage_bar starts_on ends_on today label=number condition=c %}            dates, half-open; shows the last day;
       hollow before its start and where the condition (waiting, draft, refused, terminated) covers nothing
Lists (sort_head, filter_menu and qs need `request` in the context); <div class="card listbox"><table class="list">
  {% sort_head "updated" _("Updated") sort end=True falling=True more="most" %}  a <th>; sort: "updated" or "-updated"
  {% filter_menu _("Priority") "priority" options multiple=True %}               (value, label[, count]); in .filters
  {% filter_chip _("Queue") queue.name remove_url %}                             a filter that is on
  {% pager newer_url older_url total words %}                                    foot of a list; words: "14 cases"
  {% qs state="open" page=None %}     present query string with changes;  {{ count|capped }} "1,000+"
  {% empty_state title text href label drawing="inbox" %}
  {% tabs items %}                    (label, href, is_current[, count])
  {% breadcrumbs _("Contracts") url number %}
  Cells: <td class="main"><a class="syn" href>..</a><span class="sub">..</span></td> is the row's link; "r" right;
  "num" figures; "tick" checkbox; in little room "more" and "most" go, "line" takes a line of its own (data-label).
Forms
  {% form_key %} beside {% csrf_token %};  {% field form.synopsis %}
  {% error_summary form %} above the form; kept=False where nothing typed comes back
  {% priority_cards form.priority %}  four radio cards with meanings
  {% dialog "close-case" _("Close this case?") %}<p>..</p><form>..</form>{% enddialog %}
  {% dialog_button "close-case" _("Close") href=plain_page_url look="danger" key="" drawing="x" %}  {% dialog_close %}
  {% help_tip "C54" _("Quoted clause") %}
  {% include "components/composer.html" with action=url may_note=True may_attach=True %}
Blocks
  {% panel _("Clocks") href=url link=_("explain") %}..{% endpanel %}             a section of a card or an aside
  {% banner "late" drawing="bell" %}..{% endbanner %}                            looks: late warn ok quiet note ""
  <dl class="kv">{% kv _("Site") site.name %}</dl>                               empty values leave no line
  <ol class="tl">{% event kind="message" at=e.at who=e.by role=_("reply") vendor=True anchor="e12" now=now %}
       ..{% endevent %}</ol>  kinds: message, note (internal), system, alert
  {% ladder rungs now=now paused=why %}  rung: level state title who due_at fired_at sent_at delivered_at
                                      acknowledged_at acknowledged_by reason
  {% audit_action entry.action %}  {% audit_detail entry.detail %}   the audit trail in words
Keys: data-key="a" on a link, button or text field; data-go="q" after g; data-draft="name" on a textarea;
data-drop on what holds a file input; data-submit on a select that sends its form.
Frame (used by base.html)
  {% product_name %}  {% product_mark %}  {% support_telephones as phones %}  {% words %}
"""

from collections.abc import Iterable
from typing import Any

from django import template
from django.conf import settings
from django.http import QueryDict
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.pieces import chips, forms, icons, lists, story, times, trail
from portal.pieces.frame import banner, panel, words

register = template.Library()

for _piece in (
    icons.icon,
    chips.priority_chip,
    chips.state_chip,
    chips.badge,
    chips.person,
    chips.organisation,
    chips.verdict,
    chips.file_row,
    chips.copy_button,
    times.timestamp,
    times.ago,
    times.clock,
    times.gauge,
    times.coverage_bar,
    lists.filter_chip,
    lists.empty_state,
    lists.tabs,
    lists.breadcrumbs,
    forms.form_key,
    forms.field,
    forms.error_summary,
    forms.priority_cards,
    forms.dialog_button,
    forms.dialog_close,
    forms.help_tip,
    story.ladder,
    trail.audit_action,
    trail.audit_detail,
    words,
):
    register.simple_tag(_piece)

register.simple_tag(forms.key_value, name="kv")
register.simple_block_tag(story.event, end_name="endevent")
register.simple_block_tag(forms.dialog, end_name="enddialog")
register.simple_block_tag(panel, end_name="endpanel")
register.simple_block_tag(banner, end_name="endbanner")
register.filter("day", times.day)
register.filter("span", times.span)
register.filter("size", chips.size)
register.filter("capped", lists.capped)
register.filter("initials", chips.initials)
register.filter("tel", chips.tel)
register.filter("browser", chips.browser)


def _params(context: Context) -> QueryDict:
    request = context.get("request")
    return request.GET if request is not None else QueryDict()


@register.simple_tag(takes_context=True)
def sort_head(context: Context, key: str, label: str, sort: str, **options: Any) -> SafeString:
    return lists.sort_head(_params(context), key, label, sort, **options)


@register.simple_tag(takes_context=True)
def filter_menu(
    context: Context, label: str, name: str, options: Iterable[tuple[Any, ...]], multiple: bool = False
) -> SafeString:
    return lists.filter_menu(_params(context), label, name, options, multiple=multiple)


@register.simple_tag(takes_context=True)
def qs(context: Context, **changes: Any) -> str:
    """The present query string with changes; the page position is dropped (add `after=` afterwards)."""
    texts = {key: None if value is None else str(value) for key, value in changes.items()}
    return lists.query(_params(context), **texts)


@register.simple_tag
def pager(
    newer: str | None = "", older: str | None = "", total: int | None = None, words: str = ""
) -> SafeString:
    return lists.pager(newer, older, total, words)


@register.simple_tag
def product_name() -> str:
    return str(getattr(settings, "PRODUCT_NAME", "Support Center"))


@register.simple_tag
def product_mark() -> SafeString:
    """The product's mark and name; the name is hidden in little room, the link keeps its label."""
    return format_html("{}<span>{}</span>", icons.MARK, product_name())


@register.simple_tag(takes_context=True)
def support_telephones(context: Context) -> list[str]:
    """The numbers to show: what the page was given, else the operator's setting; never a query."""
    numbers: Iterable[str] = context.get("telephones") or getattr(settings, "TELEPHONE_NUMBERS", [])
    return list(numbers)
