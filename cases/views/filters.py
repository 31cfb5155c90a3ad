"""What a list of cases shows and in which order, read from its address."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django import forms
from django.db.models import Case as Choose
from django.db.models import CharField, DateTimeField, ExpressionWrapper, F, Value, When
from django.db.models.functions import Cast
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organisation, User
from accounts.paging import Key, Order, moment
from accounts.roles import OrganisationKind, Permission, Role
from cases.forms import LineField
from cases.models import CaseQuerySet
from cases.workflow import CaseState
from contracts.models import Software
from entitlements.kinds import Priority

MENU_SIZE: Final = 50
WAITING_STATES: Final = (CaseState.CUSTOMER_PENDING, CaseState.RESOLUTION_PROPOSED)
OPEN, CLOSED, ALL = "open", "closed", "all"
# how long before its deadline a case becomes urgent, and how much earlier it counts among the others (ours)
WEIGHTS: Final = {
    Priority.P1: timedelta(hours=12),
    Priority.P2: timedelta(hours=6),
    Priority.P3: timedelta(hours=1),
}

ORDERS: Final[dict[str, Order]] = {
    "-updated": ("-updated_at", "-pk"),
    "updated": ("updated_at", "pk"),
    "-opened": ("-opened_at", "-pk"),
    "opened": ("opened_at", "pk"),
    "deadline": ("next_deadline_at", "pk"),
    "-deadline": ("-next_deadline_at", "-pk"),
    "priority": ("priority", "-updated_at", "-pk"),
    "-priority": ("-priority", "-updated_at", "-pk"),
}
URGENCY: Final = (Key("urgency"), Key("urgent_at", may_miss=True, reads=moment), Key("pk"))


def by_urgency(cases: CaseQuerySet, now: datetime) -> CaseQuerySet:
    """With `urgency` and `urgent_at`, so that URGENCY orders them.

    First what is overdue or close to it, P1 before P2 and so on; then the others by their deadline, earlier by
    the weight of the priority; last what waits for the customer."""
    weight = Choose(
        *(When(priority=priority, then=Value(ahead)) for priority, ahead in WEIGHTS.items()),
        default=Value(timedelta()),
    )
    cases = cases.annotate(
        urgent_at=ExpressionWrapper(F("next_deadline_at") - weight, output_field=DateTimeField())
    )
    urgency = Choose(
        When(urgent_at__lte=now, then=F("priority")),
        When(next_deadline_at=None, then=Value("R")),
        default=Value("Q"),
        output_field=CharField(),
    )
    return cases.annotate(urgency=urgency)


class FilterForm(forms.Form):
    """The address of a list. What makes no sense is left out, and the page says which filters are on."""

    state = forms.ChoiceField(
        required=False,
        choices=[(OPEN, _("open")), (CLOSED, _("closed")), (ALL, _("all")), *CaseState.choices],
    )
    waiting = forms.ChoiceField(required=False, choices=[("us", ""), ("me", ""), ("customer", "")])
    mine = forms.ChoiceField(required=False, choices=[("1", "")])
    missed = forms.ChoiceField(required=False, choices=[("1", "")])
    owner = forms.RegexField(r"^(me|none|[0-9]{1,18})$", required=False)
    priority = forms.MultipleChoiceField(required=False, choices=Priority.choices)
    software = forms.SlugField(required=False, max_length=60)
    customer = forms.SlugField(required=False, max_length=60)
    q = LineField(required=False, max_length=200)
    sort = forms.ChoiceField(required=False, choices=[(name, "") for name in ORDERS])
    after = forms.CharField(required=False)
    before = forms.CharField(required=False)


class Menus(NamedTuple):
    """What the menus of a list offer: (value, label) each."""

    software: list[tuple[str, str]]
    customers: list[tuple[str, str]]
    owners: list[tuple[str, str]]


@dataclass
class Filters:
    """The filters that are on."""

    state: str = OPEN
    waiting: str = ""
    mine: str = ""
    missed: str = ""
    owner: str = ""
    priority: list[str] = field(default_factory=list)
    software: str = ""
    customer: str = ""
    q: str = ""
    sort: str = ""
    after: str = ""
    before: str = ""

    @classmethod
    def read(cls, params: QueryDict) -> "Filters":
        form = FilterForm(params)
        form.is_valid()
        return cls(**{name: value for name, value in form.cleaned_data.items() if value})

    @property
    def narrows(self) -> bool:
        """Whether anything but the present state is asked for: an empty list then means "nothing matches"."""
        asked = (
            self.waiting,
            self.mine,
            self.missed,
            self.owner,
            self.priority,
            self.software,
            self.customer,
        )
        return any((*asked, self.q, self.state != OPEN))

    def order(self, default: str) -> Order:
        return ORDERS[self.sort or default]

    def apply(self, cases: CaseQuerySet, *, user: User, now: datetime) -> CaseQuerySet:
        """The cases of `cases` that pass; `q` is not among the filters, it belongs to the search."""
        if user.acting is None:
            return cases.none()
        found = self._in_state(cases)
        if self.mine:
            found = found.filter(contact=user.acting)
        if self.missed:
            found = found.filter(next_deadline_at__lt=now)
        if self.owner == "none":
            found = found.filter(owner=None)
        elif self.owner:
            found = found.filter(owner=user.acting.pk if self.owner == "me" else int(self.owner))
        if self.priority:
            found = found.filter(priority__in=self.priority)
        if self.software:
            found = found.filter(software__slug=self.software)
        if self.customer and user.can(Permission.CASE_VIEW_ALL):
            found = found.filter(organisation__slug=self.customer)
        return found

    def _in_state(self, cases: CaseQuerySet) -> CaseQuerySet:
        if self.waiting:
            return cases.filter(state__in=WAITING_STATES)
        if self.state == OPEN:
            return cases.open()
        if self.state == ALL:
            return cases
        return cases.filter(state=self.state)


def menus_for(user: User) -> Menus:
    """What may be filtered by, with one query; staff see customers and owners too."""
    software = _named("software", Software.objects.visible_to(user), "slug", "name")
    parts = [software]
    if user.can(Permission.CASE_VIEW_ALL):
        customers = Organisation.objects.visible_to(user).filter(kind=OrganisationKind.END_USER)
        engineers = Membership.objects.visible_to(user).active().with_role(Role.ENGINEER)
        parts.append(_named("customers", customers, "slug", "name"))
        parts.append(_named("owners", engineers, "pk", "user__name"))
    first, *others = parts
    rows = first.union(*others, all=True) if others else first
    menus = Menus([], [], [])
    for kind, value, label in sorted(rows, key=lambda row: row[2].casefold()):
        getattr(menus, kind).append((value, label))
    return menus


def _named(kind: str, rows: Any, value: str, label: str) -> Any:
    named = rows.annotate(
        menu=Value(kind, output_field=CharField()),
        menu_value=Cast(value, CharField()),
        menu_label=Cast(label, CharField()),
    )
    return named.order_by("menu_label").values_list("menu", "menu_value", "menu_label")[:MENU_SIZE]


def state_options() -> list[tuple[str, str | Promise]]:
    states = [(state.value, state.label) for state in CaseState if state != CaseState.CLOSED]
    return [(OPEN, _("open")), (CLOSED, _("closed")), (ALL, _("all")), *states]
