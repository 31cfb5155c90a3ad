"""How software, releases, documents and contracts came about: each by its action, at its time."""

import hashlib
import random
from datetime import date, datetime
from functools import cache, partial
from typing import Final
from zoneinfo import ZoneInfo

from django.core.files.uploadedfile import SimpleUploadedFile

from contracts.actions import (
    ManifestLine,
    ThirdParty,
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
from contracts.kinds import DocumentKind, GoverningKind, ReleaseKind
from contracts.models import DocumentAgreement, GoverningDocument
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
        text=products.LICENCE_TEXT,
    )
    GoverningDocument.objects.create(
        kind=GoverningKind.EUSA,
        title="End User Support Agreement",
        version="5.1",
        in_force_from=now.date(),
        text=products.AGREEMENT_TEXT,
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
        component=version.component,
        components=[
            ThirdParty(name=name, version=number, licence=licence)
            for name, number, licence in products.COMPONENTS[version.software]
        ],
        manifest=_manifest(version),
        uploads=[SimpleUploadedFile(path, bytes_of(path, size)) for path, size in _fetched(version)],
        by=world.people["henrik"],
        now=now,
    )


def _fetched(version: products.Version) -> list[tuple[str, int]]:
    return [(path, size) for path, size in version.files if size <= products.MOST_BYTES]


def _manifest(version: products.Version) -> list[ManifestLine]:
    """Of files that are too large to be there, the digest of the name stands for that of the bytes."""
    fetched = dict(_fetched(version))
    lines = [
        ManifestLine(
            path=path,
            size=size,
            sha256=hashlib.sha256(bytes_of(path, size) if path in fetched else path.encode()).hexdigest(),
        )
        for path, size in version.files
    ]
    edited = [
        ManifestLine(path=path, size=size, sha256=hashlib.sha256(path.encode()).hexdigest(), is_fixed=False)
        for path, size in version.edited
    ]
    return lines + edited


@cache
def bytes_of(path: str, size: int) -> bytes:
    """The same bytes for the same name each time; a text where the name says so."""
    if path.endswith(".txt"):
        line = f"{path}: see the release notes on the portal for what changes and how to install it.\n"
        return (line * (size // len(line) + 1)).encode()[:size]
    return random.Random(path).randbytes(size)  # noqa: S311  # nosec B311  # no secret: it stands for a package


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
        co_terminates_with=world.contracts[term.co_terminates_with] if term.co_terminates_with else None,
        co_termination_reason=term.co_reason,
        as_draft=term.is_draft,
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


def _approve(world: World, term: contracts.Term, now: datetime) -> None:
    # nobody approves what they registered
    by = world.people["abel" if term.by == "ada" else "ada"]
    world.contracts[term.key] = approve_contract(
        contract=world.contracts[term.key],
        co_terminates_with=world.contracts[term.co_terminates_with] if term.co_terminates_with else None,
        co_termination_reason=term.co_reason,
        by=by,
        now=now,
    )


def _refuse(world: World, term: contracts.Term, now: datetime) -> None:
    world.contracts[term.key] = refuse_contract(
        contract=world.contracts[term.key], reason=term.refused, by=world.people["ada"], now=now
    )


def _terminate(world: World, term: contracts.Term, now: datetime) -> None:
    world.contracts[term.key] = terminate_contract(
        contract=world.contracts[term.key], reason=term.termination_reason, by=world.people["abel"], now=now
    )
