"""Forms: fields, the error summary, priority cards, the idempotency key, dialogs, help tips."""

import secrets
from typing import Any
from uuid import uuid4

from django.forms import BaseForm, BoundField
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from portal.pieces.chips import PRIORITY_MEANINGS, priority_chip
from portal.pieces.icons import icon


def form_key() -> SafeString:
    """The hidden `idempotency_key` of a form: the same form sent twice is carried out once."""
    return format_html('<input type="hidden" name="idempotency_key" value="{}">', uuid4())


def field(bound: BoundField) -> SafeString:
    """Label, hint, errors, control of one form field (templates/django/forms/field.html)."""
    return bound.as_field_group()


def _anchor(bound: BoundField) -> str:
    """The id that a link in the summary must reach; a group of radio buttons is reached by its first."""
    widget_id = bound.id_for_label or bound.auto_id
    return f"{bound.auto_id}_0" if bound.use_fieldset and bound.auto_id else widget_id


def _line(bound: BoundField, error: object) -> str:
    """The field named before its error: six times "This field is required." would help nobody."""
    return gettext("%(field)s: %(error)s") % {"field": bound.label, "error": error}


def error_summary(*forms: BaseForm, kept: bool = True) -> SafeString:
    """What is wrong with these forms, at the top of the page, each line a link to its field.

    `kept`: says that nothing was saved and what was typed is still there (not so for passwords)."""
    lines: list[tuple[str, str]] = []
    for form in forms:
        lines += [("", str(error)) for error in form.non_field_errors()]
        lines += [
            (_anchor(bound), _line(bound, error)) for bound in form.visible_fields() for error in bound.errors
        ]
        lines += [("", _line(bound, error)) for bound in form.hidden_fields() for error in bound.errors]
    if not lines:
        return SafeString("")
    items = format_html_join(
        "",
        "<li>{}</li>",
        ((format_html('<a href="#{}">{}</a>', at, text) if at else text,) for at, text in lines),
    )
    title = ngettext("There is a problem", "There are %(count)s problems", len(lines)) % {"count": len(lines)}
    words = gettext("Nothing was saved yet. Everything you typed is still here.")
    hint = format_html('<p class="hint">{}</p>', words) if kept else ""
    return format_html(
        '<div class="summary" role="alert" tabindex="-1" data-focus><h2>{}</h2>{}<ul>{}</ul></div>',
        title,
        hint,
        items,
    )


def priority_cards(bound: BoundField) -> SafeString:
    """The choice of P1 to P4 as four cards with their meaning; the field is a ChoiceField of those values."""
    chosen = str(bound.value() or "")
    codes = [str(value) for value, _label in getattr(bound.field, "choices", []) if value]
    cards = format_html_join(
        "",
        '<label class="opt"><input type="radio" name="{}" value="{}" id="{}_{}"{}{}>{}<span>{}</span></label>',
        (
            (
                bound.html_name,
                code,
                bound.auto_id,
                at,
                SafeString(" checked" if code == chosen else ""),  # nosec B703  # constants
                SafeString(" required" if bound.field.required else ""),  # nosec B703  # constants
                priority_chip(code, name=True),
                PRIORITY_MEANINGS.get(code, ""),
            )
            for at, code in enumerate(codes)
        ),
    )
    hint = format_html('<div class="hint" id="{}_helptext">{}</div>', bound.auto_id, bound.help_text)
    described = (
        format_html(' aria-describedby="{}"', bound.aria_describedby) if bound.aria_describedby else ""
    )
    return format_html(
        '<div class="field{}"><fieldset{}><legend>{}</legend>{}{}<div class="opts">{}</div></fieldset></div>',
        " invalid" if bound.errors else "",
        described,
        bound.label,
        hint if bound.help_text else "",
        bound.errors,
        cards,
    )


def dialog(content: str, name: str, title: str, wide: bool = False) -> SafeString:
    """A `<dialog>` with a title; opened by `dialog_button`. Escape and a click beside it close it."""
    return format_html(
        '<dialog id="{0}" aria-labelledby="{0}-title" closedby="any"{1}><h2 id="{0}-title">{2}</h2>{3}</dialog>',
        name,
        SafeString(' class="wide"' if wide else ""),  # nosec B703  # constants
        title,
        content,
    )


def dialog_button(
    name: str, label: str, *, href: str = "", look: str = "", key: str = "", drawing: str = ""
) -> SafeString:
    """Opens the dialog `name`. With `href` (a plain page with the same form) it works everywhere."""
    inner = format_html("{}{}", icon(drawing) if drawing else "", label)
    shortcut = format_html(' data-key="{}"', key) if key else ""
    if href:
        return format_html(
            '<a class="btn {}" href="{}" data-dialog="{}"{}>{}</a>', look, href, name, shortcut, inner
        )
    return format_html(
        '<button type="button" class="btn {}" commandfor="{}" command="show-modal"{}>{}</button>',
        look,
        name,
        shortcut,
        inner,
    )


def dialog_close(label: str = "") -> SafeString:
    """The button in a dialog that changes nothing."""
    return format_html('<button type="button" class="btn" data-close>{}</button>', label or gettext("Cancel"))


def help_tip(clause: str, text: str) -> SafeString:
    """A question mark that quotes a clause of the service description; a native popover."""
    mark = f"tip-{secrets.token_hex(4)}"
    words = gettext("Why? (%(clause)s)") % {"clause": clause}
    return format_html(
        '<button type="button" class="tip" popovertarget="{0}" aria-label="{1}">{2}</button>'
        '<span class="tiptext" id="{0}" popover role="note"><b>{3}</b><span>{4}</span></span>',
        mark,
        words,
        icon("circle-question-mark"),
        clause,
        text,
    )


def key_value(label: str, value: Any) -> SafeString:
    """A line of a `<dl class="kv">`; nothing at all where the value is empty."""
    if value is None or value == "":
        return SafeString("")
    return format_html("<dt>{}</dt><dd>{}</dd>", label, value)
