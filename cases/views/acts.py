"""What can be done to a case, and who is offered it when: one table for the page, the dialogs and the views.

The table only decides what is shown. Whether it may be done is decided by the action, which asks again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from accounts.roles import Permission
from cases import actions, forms
from cases.actions.resolution import REOPEN_WITHIN
from cases.models import Case
from cases.workflow import MOVES, CaseState
from entitlements.kinds import Priority

P = Permission
S = CaseState
Text = str | Promise


@dataclass(frozen=True, kw_only=True)
class Act:
    """One verb: how it is offered, what it asks for, and the action behind it."""

    url: str
    label: Text
    title: Text
    needs: Permission
    fits: Callable[[Case, User], bool]
    run: Callable[..., Any]
    done: Text
    form: type[forms.ActForm] = forms.ActForm
    lead: Text = ""
    button: Text = ""
    look: str = ""
    icon: str = ""
    key: str = ""
    is_staffs: bool = True

    def is_offered(self, case: Case, user: User) -> bool:
        """Whether the page shows it to this person now."""
        return self.is_for(user) and self.fits(case, user)

    def is_for(self, user: User) -> bool:
        return user.can(self.needs)


def _always_open(case: Case, user: User) -> bool:
    return case.is_open


def _may_take(case: Case, user: User) -> bool:
    return case.is_open and case.owner_id is None


def _may_move(to: CaseState) -> Callable[[Case, User], bool]:
    return lambda case, user: to in MOVES[case.state]


def _has_other_states(case: Case, user: User) -> bool:
    return bool(MOVES[case.state] - {S.CUSTOMER_PENDING, S.RESOLUTION_PROPOSED})


def _may_be_raised(case: Case, user: User) -> bool:
    return case.is_open and case.priority != Priority.P1


def _may_be_lowered(case: Case, user: User) -> bool:
    return case.is_open and case.priority != Priority.P4


def _is_proposed(case: Case, user: User) -> bool:
    return case.state == S.RESOLUTION_PROPOSED


def _is_not_restored(case: Case, user: User) -> bool:
    return case.is_open and case.restored_at is None


def _is_restored(case: Case, user: User) -> bool:
    return case.is_open and case.restored_at is not None


def _was_closed_lately(case: Case, user: User) -> bool:
    return case.closed_at is not None and timezone.now() < case.closed_at + REOPEN_WITHIN


TAKE: Final = Act(
    url="case_take", label=_("Take"), title=_("Take this case"), needs=P.CASE_TRIAGE, fits=_may_take,
    run=actions.take_case, done=_("The case is yours."), icon="hand", look="primary", key="a",
    lead=_("You become its owner; a new case is then in progress."), button=_("Take the case"),
)  # fmt: skip
ASSIGN: Final = Act(
    url="case_assign", label=_("Assign"), title=_("Assign this case"), needs=P.CASE_TRIAGE, fits=_always_open,
    run=actions.assign_case, done=_("The case was assigned."), form=forms.AssignForm, icon="user",
    lead=_("The engineer gets a notice."), button=_("Assign"),
)  # fmt: skip
ASK: Final = Act(
    url="case_ask", label=_("Request information"), title=_("Request information"), needs=P.CASE_TRIAGE,
    fits=_may_move(S.CUSTOMER_PENDING), run=actions.change_state, form=forms.AskForm, icon="circle-question-mark",
    done=_("The case waits for the customer now."), button=_("Ask the customer"),
    lead=_("The case waits for the customer until they answer (C56, C60)."),
)  # fmt: skip
STATE: Final = Act(
    url="case_state", label=_("Change state"), title=_("Change the state"), needs=P.CASE_TRIAGE,
    fits=_has_other_states, run=actions.change_state, form=forms.StateForm, icon="arrow-right",
    done=_("The state was changed."), button=_("Change the state"),
)  # fmt: skip
RESTORED: Final = Act(
    url="case_restored", label=_("Restored"), title=_("Service is restored"), needs=P.CASE_TRIAGE,
    fits=_is_not_restored, run=actions.mark_restored, form=forms.RestoredForm, icon="circle-check",
    done=_("Service is marked as restored; the customer is told."), button=_("Mark as restored"),
)  # fmt: skip
PROPOSE: Final = Act(
    url="case_propose", label=_("Propose resolution"), title=_("Propose a resolution"), needs=P.CASE_TRIAGE,
    fits=_may_move(S.RESOLUTION_PROPOSED), run=actions.propose_resolution, form=forms.ProposeForm,
    icon="check-check", look="primary", done=_("The resolution was proposed; the customer is told."),
    button=_("Propose it"),
)  # fmt: skip
CLOSE: Final = Act(
    url="case_close", label=pgettext_lazy("case", "Close"), title=_("Close this case"),
    needs=P.CASE_TRIAGE, fits=_always_open, run=actions.close_case,
    form=forms.CloseForm, icon="lock", done=_("The case is closed."),
    lead=_("When the customer asked for it, or by a duty manager, who says why. What is pending is cancelled."),
    button=_("Close the case"), look="danger",
)  # fmt: skip
RAISE: Final = Act(
    url="case_raise_priority", label=_("Raise priority"), title=_("Raise the priority"), needs=P.CASE_RAISE,
    fits=_may_be_raised, run=actions.raise_priority, form=forms.RaiseForm, icon="trending-up",
    done=_("The priority was raised."), button=_("Raise it"), is_staffs=False,
    lead=_("The management ladder of the new priority starts at this moment. Please telephone as well for P1 and P2."),
)  # fmt: skip
LOWER: Final = Act(
    url="case_lower_priority", label=_("Lower priority"), title=_("Lower the priority"), needs=P.CASE_TRIAGE,
    fits=_may_be_lowered, run=actions.lower_priority, form=forms.LowerForm, icon="trending-down",
    done=_("The priority was lowered; everyone who had been alerted is told."), button=_("Lower it"),
    lead=_("Everyone already alerted is told, and the customer."),
)  # fmt: skip
ACCEPT: Final = Act(
    url="case_accept", label=_("Accept the resolution"), title=_("Accept the resolution?"), needs=P.CASE_ANSWER,
    fits=_is_proposed, run=actions.accept_resolution, icon="check", look="primary", is_staffs=False,
    done=_("Thank you. The case is closed; you may reopen it for 14 days."), button=_("Accept and close the case"),
    lead=_("The case is then closed. You may reopen it within 14 days."),
)  # fmt: skip
REJECT: Final = Act(
    url="case_reject", label=_("Not solved"), title=_("It is not solved"), needs=P.CASE_ANSWER, fits=_is_proposed,
    run=actions.reject_resolution, form=forms.RejectForm, icon="x", is_staffs=False,
    done=_("Work goes on; the engineer is told why."), button=_("Reject the resolution"),
)  # fmt: skip
DENY: Final = Act(
    url="case_deny_restoration", label=_("Service is not restored"), title=_("Service is not restored"),
    needs=P.CASE_REPLY, fits=_is_restored, run=actions.deny_restoration, form=forms.DenyForm, icon="circle-x",
    is_staffs=False, done=_("The management ladder starts again."), button=_("It is not restored"),
)  # fmt: skip
ESCALATE: Final = Act(
    url="case_escalate", label=_("Ask for escalation"), title=_("Ask for escalation"), needs=P.CASE_ANSWER,
    fits=_always_open, run=actions.request_escalation, form=forms.EscalateForm, icon="siren", is_staffs=False,
    done=_("All our duty managers are told."), button=_("Tell the duty managers"),
    lead=_("All our duty managers are told at once, and it stands on the timeline."),
)  # fmt: skip
WANT_CLOSURE: Final = Act(
    url="case_request_closure", label=_("Ask to close"), title=_("Ask us to close this case?"), needs=P.CASE_ANSWER,
    fits=lambda case, user: case.is_open and case.state != S.RESOLUTION_PROPOSED, run=actions.request_closure,
    icon="circle-check", is_staffs=False, done=_("We are told, and close the case."), button=_("Ask to close it"),
    lead=_("Whoever has the case is told, and closes it."),
)  # fmt: skip
REOPEN: Final = Act(
    url="case_reopen", label=_("Reopen"), title=_("Reopen this case"), needs=P.CASE_REPLY, fits=_was_closed_lately,
    run=actions.reopen_case, form=forms.ReopenForm, icon="rotate-ccw", is_staffs=False,
    done=_("The case is open again."), button=_("Reopen the case"),
    lead=_("The clocks and the management ladder start again."),
)  # fmt: skip

# in the order in which a page offers them: the most likely one stands at the end, beside the hand
ACTS: Final = (
    RAISE, LOWER, ASSIGN, STATE, CLOSE, WANT_CLOSURE, ESCALATE, ASK, RESTORED, DENY, REJECT, REOPEN, TAKE, PROPOSE,
    ACCEPT,
)  # fmt: skip
# on the page itself; the others stand behind "More"
_FOREMOST: Final = {TAKE, ASK, RESTORED, PROPOSE, ACCEPT, REJECT, DENY, REOPEN, RAISE, ESCALATE}


@dataclass(frozen=True)
class Offer:
    """An act that a page offers, with its form, unless its page has to be asked for."""

    act: Act
    form: forms.ActForm | None

    @property
    def dialog(self) -> str:
        return self.act.url.replace("_", "-")


def offers(case: Case, user: User) -> tuple[list[Offer], list[Offer]]:
    """What the person may do to the case now: in the header, and behind "More"."""
    found = [Offer(act, _blank(act, case)) for act in ACTS if act.is_offered(case, user)]
    is_staff = user.can(P.CASE_VIEW_ALL)
    first = {act for act in _FOREMOST if not (is_staff and act in (RAISE, DENY))}
    if is_staff and TAKE.is_offered(case, user):
        first -= {ASK, RESTORED, PROPOSE}
    return [one for one in found if one.act in first], [one for one in found if one.act not in first]


def _blank(act: Act, case: Case) -> forms.ActForm | None:
    """Assigning needs the list of engineers: fetched when it is asked for, not with every page."""
    return None if act is ASSIGN else act.form(case=case, auto_id=f"{act.url}-%s")
