"""The small forms on a case page, one for each thing that can be done to it."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Membership
from cases.actions import EscalationReason
from cases.forms.fields import LineField, RowField, Text, TextField
from cases.models import Case
from cases.workflow import MOVES, CaseState
from entitlements.kinds import Priority


class ActForm(forms.Form):
    """The base of the small forms on a case page. `expected_version` is what the person was looking at."""

    expected_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {}).setdefault("expected_version", case.version)
        super().__init__(*args, **kwargs)

    def values(self) -> dict[str, Any]:
        """What the action wants beside the case; only for a valid form."""
        values = dict(self.cleaned_data)
        values["expected_version"] = values.get("expected_version")
        return values


def reason_field(
    label: Text, *, max_length: int = 400, help_text: Text = "", required: bool = True
) -> TextField:
    return TextField(label=label, help_text=help_text, max_length=max_length, required=required, rows=3)


class DenyForm(ActForm):
    reason = reason_field(
        gettext_lazy("What still does not work?"),
        help_text=gettext_lazy("The clocks and the management ladder start again at this moment."),
    )


class RejectForm(ActForm):
    reason = reason_field(gettext_lazy("What is missing or still wrong?"))


class ReopenForm(ActForm):
    reason = reason_field(gettext_lazy("What has come back?"))


class PriorityForm(ActForm):
    """Another priority, with the reason; which ones are offered depends on the direction."""

    to = forms.ChoiceField(label=gettext_lazy("New priority"), widget=forms.RadioSelect)
    reason = reason_field(gettext_lazy("Why?"))
    higher = True

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, case=case, **kwargs)
        offered = [one for one in Priority if (one < case.priority if self.higher else one > case.priority)]
        field = self.fields["to"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(one.value, one.label) for one in offered]
        if len(offered) == 1:
            field.initial = offered[0].value


class RaiseForm(PriorityForm):
    """Upwards: the ladder of the new priority starts at once (C22)."""


class LowerForm(PriorityForm):
    """Downwards: everyone already alerted is told, and the customer."""

    higher = False


class StateForm(ActForm):
    """The moves that JTAC makes by hand; waiting for the customer and proposing have forms of their own."""

    to = forms.ChoiceField(label=gettext_lazy("New state"), widget=forms.RadioSelect)
    reason = reason_field(gettext_lazy("Reason"), max_length=200, required=False)

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, case=case, **kwargs)
        own = {CaseState.CUSTOMER_PENDING, CaseState.RESOLUTION_PROPOSED}
        moves = MOVES[case.state] - own
        field = self.fields["to"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(one.value, one.label) for one in CaseState if one in moves]


class AskForm(ActForm):
    """Ask the customer for something: the case waits, and says for what (C56, C60, C68)."""

    reason = reason_field(
        gettext_lazy("What do we need from the customer?"),
        max_length=200,
        help_text=gettext_lazy(
            "The customer reads this. Targets stand still meanwhile; P1 and P2 alerts do not."
        ),
    )

    def values(self) -> dict[str, Any]:
        return super().values() | {"to": CaseState.CUSTOMER_PENDING}


class AssignForm(ActForm):
    """An engineer, or nobody, said in so many words."""

    to = RowField[Membership](label=gettext_lazy("Engineer"))
    NOBODY = "nobody"

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        engineers: Sequence[Membership] = kwargs.pop("engineers", ())
        super().__init__(*args, case=case, **kwargs)
        field = self.fields["to"]
        assert isinstance(field, RowField)
        nobody = (self.NOBODY, _("Nobody: back into the queue"))
        field.offer(engineers, empty=_("Choose an engineer"), none=nobody, label=lambda row: row.user.name)
        self.initial["to"] = case.owner_id


class RestoredForm(ActForm):
    note = reason_field(
        gettext_lazy("What restored it?"),
        required=False,
        help_text=gettext_lazy(
            "The customer is told, and may deny it. What is pending on the ladder is cancelled."
        ),
    )


class ProposeForm(ActForm):
    resolution = TextField(
        label=gettext_lazy("How is it solved?"),
        help_text=gettext_lazy("The customer accepts or rejects this text. Markdown works."),
        max_length=20_000,
        rows=6,
        draft="resolution",
    )
    cause = LineField(label=gettext_lazy("Cause"), max_length=400, required=False)


class CloseForm(ActForm):
    """Closing without an answer to a proposal: what is kept as the resolution says why."""

    resolution = TextField(
        label=gettext_lazy("Why is it closed, and how was it solved?"), max_length=20_000, draft="closing"
    )
    cause = LineField(label=gettext_lazy("Cause"), max_length=400, required=False)


class EscalateForm(ActForm):
    """The reasons that a customer may give (support practice, "Management escalation")."""

    reason = forms.ChoiceField(
        label=gettext_lazy("What do you need?"),
        widget=forms.RadioSelect,
        choices=EscalationReason.choices,
    )
    note = reason_field(gettext_lazy("Say more"), required=False)
