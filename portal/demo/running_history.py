"""How what runs came about: each by its action, at its time."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from contracts import actions
from contracts.actions.end_users import NewEndUser
from contracts.integrity import Sum
from contracts.kinds import RequirementSource, Responsibility
from contracts.models import DocumentTask, GoverningDocument, InstallTask, ReleaseFile
from entitlements import actions as entitlement_actions
from entitlements.kinds import QuoteSubject
from entitlements.models import Rate
from entitlements.reasons import Code
from portal.demo import running
from portal.demo.world import World


def plan_running(world: World) -> None:
    """Put everything about what runs, and what was asked for beside it, into the replay."""
    at, ago = world.replay.at, world.ago
    for key, days in running.LICENCES:
        at(ago(days), partial(_accept_licence, world, key))
    for row in running.DOWNLOADS:
        at(ago(row[-1], hours=2), partial(_download, world, row))
    for task in running.TASKS:
        at(ago(task.asked, hours=3), partial(_ask, world, task))
    for check in running.CHECKS:
        at(world.now - timedelta(hours=check.hours), partial(_check, world, check))
    for demand in running.DEMANDS:
        at(ago(demand.days, hours=4), partial(_demand, world, demand))
    for currency, per_hour, days in running.RATES:
        at(ago(days), partial(_rate, currency, Decimal(per_hour)))
    _plan_notices(world)
    _plan_requests(world)
    at(ago(2, hours=5), partial(_name_end_user, world))
    at(ago(18), partial(_price_documents, world))


def _day(world: World, end_user: str, days: int) -> date:
    zone = ZoneInfo(world.organisations[end_user].time_zone)
    return world.now.astimezone(zone).date() + timedelta(days=days)


def _rate(currency: str, per_hour: Decimal, now: datetime) -> None:
    Rate.objects.create(currency=currency, per_hour=per_hour, in_force_from=now.date())


def _accept_licence(world: World, key: str, now: datetime) -> None:
    (licence,) = GoverningDocument.objects.filter(kind="licence")
    actions.accept_licence(licence=licence, by=world.people[key], now=now)


def _download(world: World, row: tuple[str, str, str, str, int], now: datetime) -> None:
    key, software, version, path, _days = row
    file = ReleaseFile.objects.select_related("release__software", "release__line", "stored").get(
        release=world.releases[software, version], path=path
    )
    entitlement_actions.grant_download(release_file=file, by=world.people[key], now=now)


def _ask(world: World, task: running.Task, now: datetime) -> None:
    (asked,) = actions.ask_to_install(
        release=world.releases[task.software, task.version],
        organisations=[world.organisations[task.end_user]],
        instruction=task.instruction,
        due_on=_day(world, task.end_user, task.due),
        by=world.people[task.by],
        now=now,
    )
    if task.done is not None:
        world.replay.at(world.ago(task.done), partial(_install, world, task, asked))


def _install(world: World, task: running.Task, asked: InstallTask, now: datetime) -> None:
    zone = ZoneInfo(world.organisations[task.end_user].time_zone)
    actions.finish_install_task(
        task=asked, done_on=now.astimezone(zone).date(), by=world.people[task.done_by], now=now
    )


def _check(world: World, check: running.Check, now: datetime) -> None:
    release = world.releases[check.software, check.version]
    files = ReleaseFile.objects.filter(release=release).order_by("path")
    sums = [
        Sum(path=file.path, sha256=file.sha256[::-1] if file.path in check.changed else file.sha256)
        for file in files
        if file.path not in check.missing
    ]
    actions.check_integrity(release=release, sums=sums, host=check.host, by=world.people[check.by], now=now)


def _demand(world: World, demand: running.Demand, now: datetime) -> None:
    requirement = actions.record_requirement(
        contract=world.contracts[demand.contract],
        text=demand.text,
        source=RequirementSource(demand.source),
        source_title=demand.named_in,
        dated_on=now.date(),
        by=world.people["sam"],
        now=now,
    )
    if demand.met is not None:
        meet = partial(actions.meet_requirement, requirement=requirement, note=demand.note)
        by = world.people[demand.met_by]
        world.replay.at(world.ago(demand.met), lambda when: meet(by=by, now=when))


def _plan_notices(world: World) -> None:
    world.replay.at(world.ago(16), partial(_freeze, world))
    world.replay.at(world.ago(1, hours=6), partial(_late, world))


def _freeze(world: World, now: datetime) -> None:
    notice = actions.give_notice(
        contract=world.contracts["acme-pathkeeper-2"],
        responsibility=Responsibility.INSTALLING,
        is_certain=True,
        text=running.FREEZE,
        by=world.people["alice"],
        now=now,
    )
    answer = partial(actions.answer_notice, notice=notice, answer=running.FREEZE_ANSWER)
    world.replay.at(world.ago(15), lambda when: answer(by=world.people["ada"], now=when))


def _late(world: World, now: datetime) -> None:
    actions.give_notice(
        contract=world.contracts["hanbit-pathkeeper-2"],
        responsibility=Responsibility.INFORMATION,
        is_certain=False,
        text=running.LATE_DOCUMENTS,
        by=world.people["minsu"],
        now=now,
    )


def _plan_requests(world: World) -> None:
    at = world.replay.at
    at(world.now - timedelta(hours=44), partial(_ask_exception, world))
    at(world.ago(52), partial(_ask_upgrade, world))
    at(world.ago(4), partial(_ask_document, world))


def _ask_exception(world: World, now: datetime) -> None:
    request = entitlement_actions.ask_exception(
        software=world.software["cgn-log-exporter"],
        release=world.releases["cgn-log-exporter", "2.6.1-p2"],
        codes=[Code.DRIFT],
        reason=running.WHY_ALL_THE_SAME,
        by=world.people["minsu"],
        now=now,
    )
    grant = partial(
        entitlement_actions.grant_exception,
        request=request,
        last_day=_day(world, "hanbit", 20),
        is_chargeable=True,
        grounds=running.GRANTED_BECAUSE,
    )
    # the second administrator has not looked at it yet
    world.replay.at(world.now - timedelta(hours=5), lambda when: grant(by=world.people["ada"], now=when))


def _ask_upgrade(world: World, now: datetime) -> None:
    request = entitlement_actions.ask_quote(
        organisation=world.organisations["acme"],
        software=world.software["pathkeeper"],
        about=QuoteSubject.UPGRADE,
        text=running.QUOTE_TEXT,
        by=world.people["alice"],
        now=now,
    )
    answer = partial(
        entitlement_actions.answer_quote,
        request=request,
        amount="USD 84,000",
        last_day=_day(world, "acme", 30),
        answer=running.QUOTE_ANSWER,
    )
    world.replay.at(world.ago(47), lambda when: answer(by=world.people["paula"], now=when))


def _ask_document(world: World, now: datetime) -> None:
    entitlement_actions.ask_quote(
        organisation=world.organisations["hanbit"],
        software=world.software["edgeprov"],
        about=QuoteSubject.DOCUMENTS,
        text=running.DOCUMENT_QUOTE,
        by=world.people["dana"],
        now=now,
    )


def _name_end_user(world: World, now: datetime) -> None:
    actions.request_end_user(new=NewEndUser(**running.NEW_END_USER), by=world.people["remy"], now=now)


def _price_documents(world: World, now: datetime) -> None:
    for task in DocumentTask.objects.open().filter(contract=world.contracts["hanbit-edgeprov-2"]):
        actions.price_document_task(
            task=task, price=running.DOCUMENT_PRICE, by=world.people["paula"], now=now
        )
