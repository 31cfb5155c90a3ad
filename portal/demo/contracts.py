"""Service contracts in every condition, and the documents that had to be agreed first."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Term:
    """A contract. Days are counted from today in the end user's zone, the past is negative.

    Give `starts` for a term of twelve months from there, or `ends` for the twelve months up to there. `by` is who
    registers: a partner, or an administrator for a direct one. Registered and decided so many days ago."""

    key: str
    end_user: str
    software: str
    by: str
    registered: int
    starts: int | None = None
    ends: int | None = None
    decided: int | None = None
    refused: str = ""
    terminated: int | None = None
    termination_reason: str = ""
    renews: str = ""
    # ends together with this other contract, approved for `co_reason` (C10)
    co_terminates_with: str = ""
    co_reason: str = ""
    purchase_order: str = ""
    # as the order names the end user and its address, where that is not how the record does
    ordered_for: str = ""
    ordered_address: str = ""
    is_draft: bool = False


TERMS: Final = (
    Term(
        key="acme-cgn-1",
        end_user="acme",
        software="cgn-log-exporter",
        by="ada",
        ends=-235,
        registered=620,
        decided=616,
    ),
    Term(
        key="hanbit-pathkeeper-1",
        end_user="hanbit",
        software="pathkeeper",
        by="dana",
        ends=-165,
        registered=545,
        decided=541,
        purchase_order="PD-24-1108",
    ),
    Term(
        key="hanbit-edgeprov-1",
        end_user="hanbit",
        software="edgeprov",
        by="dana",
        ends=-45,
        registered=425,
        decided=421,
        purchase_order="PD-25-0219",
    ),
    Term(
        key="rival-pathkeeper-1",
        end_user="rival",
        software="pathkeeper",
        by="remy",
        ends=-24,
        registered=405,
        decided=401,
        purchase_order="MN-77120",
    ),
    Term(
        key="acme-pathkeeper-1",
        end_user="acme",
        software="pathkeeper",
        by="ada",
        ends=-20,
        registered=402,
        decided=399,
    ),
    Term(
        key="nordlys-edgeprov-1",
        end_user="nordlys",
        software="edgeprov",
        by="remy",
        ends=25,
        registered=362,
        decided=358,
        purchase_order="MN-77401",
    ),
    Term(
        key="rival-cgn-1",
        end_user="rival",
        software="cgn-log-exporter",
        by="remy",
        starts=-330,
        registered=345,
        decided=341,
        purchase_order="MN-77433",
        terminated=150,
        termination_reason="Invoices of Meridian Networks unpaid after the second reminder.",
    ),
    Term(
        key="acme-cgn-2",
        end_user="acme",
        software="cgn-log-exporter",
        by="ada",
        starts=-235,
        registered=262,
        decided=255,
        renews="acme-cgn-1",
    ),
    Term(
        key="hanbit-pathkeeper-2",
        end_user="hanbit",
        software="pathkeeper",
        by="dana",
        starts=-165,
        registered=194,
        decided=190,
        renews="hanbit-pathkeeper-1",
        purchase_order="PD-26-0087",
    ),
    Term(
        key="nordlys-pathkeeper-1",
        end_user="nordlys",
        software="pathkeeper",
        by="grace",
        starts=-120,
        registered=133,
        decided=129,
        purchase_order="MN-78015",
    ),
    Term(
        key="hanbit-cgn-1",
        end_user="hanbit",
        software="cgn-log-exporter",
        by="dana",
        starts=-90,
        registered=101,
        decided=97,
        co_terminates_with="hanbit-pathkeeper-2",
        co_reason="Hanbit Mobile plans one budget for all software; the price is reduced for the shorter term.",
        purchase_order="PD-26-0140",
    ),
    Term(
        key="acme-pathkeeper-2",
        end_user="acme",
        software="pathkeeper",
        by="ada",
        starts=-20,
        registered=48,
        decided=45,
        renews="acme-pathkeeper-1",
    ),
    Term(
        key="nordlys-cgn-0",
        end_user="nordlys",
        software="cgn-log-exporter",
        by="remy",
        starts=14,
        registered=12,
        decided=9,
        refused="The purchase order names Nordlys Holding AS in Bergen; the end user on record is Nordlys Fiber in "
        "Oslo. Please send an order that names the end user with its address (C9).",
        purchase_order="MN-78402",
        ordered_for="Nordlys Holding AS",
        ordered_address="Bryggen 11, 5003 Bergen",
    ),
    Term(
        key="acme-edgeprov-1",
        end_user="acme",
        software="edgeprov",
        by="ada",
        starts=21,
        registered=10,
        decided=8,
    ),
    Term(
        key="nordlys-cgn-1",
        end_user="nordlys",
        software="cgn-log-exporter",
        by="remy",
        starts=30,
        registered=2,
        purchase_order="MN-78419",
    ),
    Term(
        key="hanbit-edgeprov-2",
        end_user="hanbit",
        software="edgeprov",
        by="dana",
        starts=10,
        registered=22,
        renews="hanbit-edgeprov-1",
        purchase_order="PD-26-0311",
    ),
    Term(
        key="nordlys-pathkeeper-2",
        end_user="nordlys",
        software="pathkeeper",
        by="remy",
        starts=246,
        registered=1,
        renews="nordlys-pathkeeper-1",
        purchase_order="MN-78501",
        is_draft=True,
    ),
)


@dataclass(frozen=True, kw_only=True)
class Paper:
    """Design document and test plan of one end user's software, agreed by both sides so many days ago.

    `unsigned`: the end user has not agreed yet, `outdated` so many days ago it went out of date; either stands in
    the way of the next contract (C12-C14)."""

    end_user: str
    software: str
    version: str
    days: int
    signed_by: str
    unsigned: bool = False
    outdated: int | None = None


PAPERS: Final = (
    Paper(end_user="acme", software="pathkeeper", version="1.2", days=660, signed_by="alice"),
    Paper(end_user="acme", software="cgn-log-exporter", version="1.0", days=640, signed_by="alice"),
    Paper(end_user="hanbit", software="pathkeeper", version="1.2", days=560, signed_by="minsu"),
    Paper(end_user="hanbit", software="edgeprov", version="2.0", days=440, signed_by="minsu", outdated=41),
    Paper(end_user="rival", software="pathkeeper", version="1.1", days=420, signed_by="mallory"),
    Paper(end_user="nordlys", software="edgeprov", version="2.0", days=380, signed_by="ingrid"),
    Paper(end_user="rival", software="cgn-log-exporter", version="1.0", days=360, signed_by="mallory"),
    Paper(end_user="nordlys", software="pathkeeper", version="1.3", days=145, signed_by="ingrid"),
    Paper(end_user="hanbit", software="cgn-log-exporter", version="1.1", days=110, signed_by="minsu"),
    Paper(end_user="hanbit", software="edgeprov", version="2.1", days=40, signed_by="minsu", unsigned=True),
    Paper(end_user="acme", software="edgeprov", version="2.1", days=15, signed_by="priya"),
    Paper(end_user="nordlys", software="cgn-log-exporter", version="1.1", days=14, signed_by="ingrid"),
)
