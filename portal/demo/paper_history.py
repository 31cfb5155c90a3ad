"""How software, releases, documents and contracts came about: each by its action, at its time."""

import hashlib
from datetime import date, datetime
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from accounts import audit
from contracts.actions import (
    ManifestLine,
    accept_release,
    add_document,
    agree_document,
    approve_contract,
    draft_release,
    mark_out_of_date,
    publish_release,
    refuse_contract,
    register_contract,
    register_defect,
    register_software,
    terminate_contract,
    withdraw_release,
)
from contracts.actions.contract import next_number
from contracts.kinds import Channel, ContractState, DocumentKind, GoverningKind, ReleaseKind
from contracts.models import DocumentAgreement, GoverningDocument, ServiceContract
from contracts.terms import add_months
from portal.demo import contracts, people, products
from portal.demo.world import World

_TERM_MONTHS: Final = 12
_TITLES: Final = {
    DocumentKind.DESIGN: "Design document",
    DocumentKind.TEST_PLAN: "Test plan",
}


def plan_papers(world: World) -> None:
    """Put everything about software and contracts into the replay."""
    world.replay.at(world.ago(people.ACCOUNT_AGE_DAYS, hours=1), partial(_register_software, world))
    for fault in products.FAULTS:
        world.replay.at(world.ago(fault.days), partial(_record_defect, world, fault))
    for version in products.VERSIONS:
        world.replay.at(world.ago(version.drafted), partial(_draft, world, version))
        if version.published is not None:
            world.replay.at(world.ago(version.published), partial(_publish, world, version))
        if version.withdrawn is not None:
            world.replay.at(world.ago(version.withdrawn), partial(_withdraw, world, version))
    for key, software, version_name, days in products.ACCEPTANCES:
        world.replay.at(world.ago(days), partial(_accept, world, key, software, version_name))
    for paper in contracts.PAPERS:
        world.replay.at(world.ago(paper.days), partial(_write_documents, world, paper))
    for term in contracts.TERMS:
        _plan_term(world, term)


# Software and releases


def _register_software(world: World, now: datetime) -> None:
    licence = GoverningDocument.objects.create(
        kind=GoverningKind.LICENCE,
        title="Script Software License Agreement",
        version="2.0",
        in_force_from=now.date(),
    )
    GoverningDocument.objects.create(
        kind=GoverningKind.EUSA, title="End User Support Agreement", version="5.1", in_force_from=now.date()
    )
    for product in products.PRODUCTS:
        world.software[product.slug] = register_software(
            name=product.name,
            slug=product.slug,
            sow_reference=product.sow,
            deliverable=product.deliverable,
            description=product.description,
            kind=product.kind,
            licence=licence,
            end_users=[world.organisations[slug] for slug in product.end_users],
            by=world.people["paula"],
            now=now,
        )


def _record_defect(world: World, fault: products.Fault, now: datetime) -> None:
    defect = register_defect(
        software=world.software[fault.software],
        number=fault.number,
        title=fault.title,
        by=world.people["sam"],
        now=now,
    )
    defect.workaround = fault.workaround
    defect.save(update_fields=["workaround"])
    world.defects[fault.number] = defect


def _draft(world: World, version: products.Version, now: datetime) -> None:
    world.releases[version.software, version.version] = draft_release(
        software=world.software[version.software],
        version=version.version,
        kind=version.kind,
        line=version.line,
        applies_to=[world.releases[version.software, older] for older in version.applies_to],
        contains=[world.releases[version.software, part] for part in version.contains],
        fixes=world.defects[version.fixes] if version.fixes else None,
        notes=version.notes,
        has_no_new_features=version.kind == ReleaseKind.UPDATE,
        manifest=[ManifestLine(path=path, size=size, sha256=_sha256(path)) for path, size in version.files],
        by=world.people["henrik"],
        now=now,
    )


def _sha256(path: str) -> str:
    """The demo has no such files; the digest of the name stands for that of the bytes."""
    return hashlib.sha256(path.encode()).hexdigest()


def _publish(world: World, version: products.Version, now: datetime) -> None:
    key = version.software, version.version
    world.releases[key] = publish_release(release=world.releases[key], by=world.people["paula"], now=now)


def _withdraw(world: World, version: products.Version, now: datetime) -> None:
    key = version.software, version.version
    world.releases[key] = withdraw_release(
        release=world.releases[key], reason=version.withdrawn_reason, by=world.people["paula"], now=now
    )


def _accept(world: World, key: str, software: str, version: str, now: datetime) -> None:
    accept_release(release=world.releases[software, version], by=world.people[key], now=now)


# Documents and contracts


def _write_documents(world: World, paper: contracts.Paper, now: datetime) -> None:
    software, side = world.software[paper.software], DocumentAgreement.Side
    for kind, title in _TITLES.items():
        document = add_document(
            organisation=world.organisations[paper.end_user],
            software=software,
            kind=kind,
            version=paper.version,
            title=f"{title}, {software.name}",
            by=world.people["paula"],
            now=now,
        )
        agree_document(document=document, side=side.VENDOR, by=world.people["paula"], now=now)
        if not paper.unsigned:
            agree = partial(agree_document, document=document, side=side.END_USER)
            world.replay.at(
                world.ago(paper.days, hours=20),
                lambda when, agree=agree: agree(by=world.people[paper.signed_by], now=when),  # type: ignore[misc]
            )
        if paper.outdated is not None:
            outdate = partial(mark_out_of_date, document=document, by=world.people["paula"])
            world.replay.at(
                world.ago(paper.outdated),
                lambda when, outdate=outdate: outdate(now=when),  # type: ignore[misc]
            )


def _plan_term(world: World, term: contracts.Term) -> None:
    world.replay.at(world.ago(term.registered), partial(_register, world, term))
    if term.decided is not None:
        decide = _refuse if term.refused else _approve
        world.replay.at(world.ago(term.decided), partial(decide, world, term))
    if term.terminated is not None:
        world.replay.at(world.ago(term.terminated), partial(_terminate, world, term))


def _register(world: World, term: contracts.Term, now: datetime) -> None:
    end_user = world.organisations[term.end_user]
    starts_on, ends_on = _dates(world, term)
    if term.co_terminates_with:
        world.contracts[term.key] = _register_co_terminating(world, term, starts_on, now)
        return
    is_ordered = bool(term.purchase_order)
    world.contracts[term.key] = register_contract(
        end_user=end_user,
        software=world.software[term.software],
        starts_on=starts_on,
        ends_on=ends_on,
        purchase_order=term.purchase_order,
        po_end_user_name=(term.ordered_for or end_user.name) if is_ordered else "",
        po_end_user_address=(term.ordered_address or end_user.address) if is_ordered else "",
        renews=world.contracts[term.renews] if term.renews else None,
        by=world.people[term.by],
        now=now,
    )


def _dates(world: World, term: contracts.Term) -> tuple[date, date]:
    """The half-open period, in days of the end user's zone."""
    zone = ZoneInfo(world.organisations[term.end_user].time_zone)
    today = world.now.astimezone(zone).date()
    if term.starts is not None:
        starts_on = date.fromordinal(today.toordinal() + term.starts)
        return starts_on, add_months(starts_on, _TERM_MONTHS)
    assert term.ends is not None
    ends_on = date.fromordinal(today.toordinal() + term.ends)
    return add_months(ends_on, -_TERM_MONTHS), ends_on


def _register_co_terminating(
    world: World, term: contracts.Term, starts_on: date, now: datetime
) -> ServiceContract:
    """The shorter term that was agreed to end with another contract (C10). There is no page for it yet, so the row
    is written here as `register_contract` writes its own."""
    end_user, by, other = (
        world.organisations[term.end_user],
        world.people[term.by],
        world.contracts[term.co_terminates_with],
    )
    partner = world.member(term.by).organisation
    contract = ServiceContract.objects.create(
        number=next_number(now),
        end_user=end_user,
        software=world.software[term.software],
        channel=Channel.DISTRIBUTOR,
        partner=partner,
        purchase_order=term.purchase_order,
        po_end_user_name=end_user.name,
        po_end_user_address=end_user.address,
        starts_on=starts_on,
        ends_on=other.ends_on,
        zone=end_user.time_zone,
        state=ContractState.WAITING,
        co_terminates_with=other,
        co_termination_approved_by=world.member("abel"),
        co_termination_reason=term.co_reason,
        registered_by=world.member(term.by),
        registered_at=now,
    )
    audit.record(
        "contract.registered",
        by=by,
        subject=contract.number,
        now=now,
        end_user=end_user.name,
        software=contract.software.name,
        starts_on=starts_on.isoformat(),
        ends_on=contract.ends_on.isoformat(),
        order_differs=[],
    )
    return contract


def _approve(world: World, term: contracts.Term, now: datetime) -> None:
    # nobody approves what they registered
    by = world.people["abel" if term.by == "ada" else "ada"]
    world.contracts[term.key] = approve_contract(contract=world.contracts[term.key], by=by, now=now)


def _refuse(world: World, term: contracts.Term, now: datetime) -> None:
    world.contracts[term.key] = refuse_contract(
        contract=world.contracts[term.key], reason=term.refused, by=world.people["ada"], now=now
    )


def _terminate(world: World, term: contracts.Term, now: datetime) -> None:
    world.contracts[term.key] = terminate_contract(
        contract=world.contracts[term.key], reason=term.termination_reason, by=world.people["abel"], now=now
    )
