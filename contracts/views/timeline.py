"""`/contracts/timeline/`: an end user's contracts along the years, with the gaps between them."""

from dataclasses import dataclass
from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.middleware import current_user
from contracts.models import ServiceContract
from contracts.timeline import Timeline, ticks, timeline_of
from contracts.views.contracts import contracts_in_words
from contracts.views.cotermination import chosen_end_user, with_contracts

MOST = 500


@dataclass(frozen=True)
class Scale:
    """Days to percent of the width of the drawing."""

    starts_on: date
    ends_on: date

    def at(self, day: date) -> float:
        whole = (self.ends_on - self.starts_on).days
        return round(100 * (day - self.starts_on).days / whole, 3)

    def wide(self, starts_on: date, ends_on: date) -> float:
        return max(0.3, round(self.at(ends_on) - self.at(starts_on), 3))


@require_safe
def contract_timeline(request: HttpRequest) -> HttpResponse:
    user, today = current_user(request), timezone.localdate()
    end_users = with_contracts(user)
    chosen = chosen_end_user(request, end_users)
    rows = ServiceContract.objects.visible_to(user).filter(end_user__slug=chosen or None)
    contracts = list(
        rows.select_related("software", "renews", "end_user").order_by("-starts_on", "-pk")[:MOST]
    )
    line = timeline_of(contracts, today)
    context = {
        "end_users": end_users,
        "chosen": chosen,
        "name": dict(end_users).get(chosen, ""),
        "timeline": line,
        "drawing": _drawing(line),
        "words": contracts_in_words(sum(len(lane.bars) for lane in line.lanes)),
    }
    return render(request, "contracts/timeline.html", context)


def _drawing(line: Timeline) -> dict[str, object]:
    """Places and widths of everything drawn, lane by lane."""
    scale = Scale(line.starts_on, line.ends_on)
    lanes = [
        {
            "lane": lane,
            "bars": [
                (bar, scale.at(bar.starts_on), scale.wide(bar.starts_on, bar.ends_on)) for bar in lane.bars
            ],
            "gaps": [
                (gap, scale.at(gap.starts_on), scale.wide(gap.starts_on, gap.ends_on)) for gap in lane.gaps
            ],
            "links": [
                scale.at(bar.starts_on)
                for bar in lane.bars
                if bar.renews and bar.renews.ends_on == bar.starts_on
            ],
        }
        for lane in line.lanes
    ]
    marks = [(day, at) for day in ticks(line.starts_on, line.ends_on) if 3 < (at := scale.at(day)) < 97]
    return {"lanes": lanes, "ticks": marks, "today": scale.at(line.today)}
