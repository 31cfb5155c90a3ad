"""What runs at the end users: licences accepted, downloads, install tasks, checks, drift, requirements, requests."""

from dataclasses import dataclass
from typing import Final

from portal.demo.people import NEW_CONTACT_DOMAIN


@dataclass(frozen=True, kw_only=True)
class Task:
    """An install task: asked so many days ago, due so many days from today, installed so many days ago."""

    end_user: str
    software: str
    version: str
    by: str
    asked: int
    due: int
    instruction: str
    done: int | None = None
    done_by: str = ""


@dataclass(frozen=True, kw_only=True)
class Check:
    """An integrity check, `hours` ago: `changed` files have other bytes, `missing` ones are gone."""

    by: str
    software: str
    version: str
    hours: int
    host: str
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Demand:
    """A requirement on a contract; `met` so many days ago by the person named."""

    contract: str
    text: str
    source: str
    named_in: str
    days: int
    met: int | None = None
    met_by: str = ""
    note: str = ""


# who accepted the licence for their organisation, so many days ago
LICENCES: Final = (("alice", 196), ("minsu", 150), ("ingrid", 148))

# who fetched which file, so many days ago
DOWNLOADS: Final = (
    ("priya", "cgn-log-exporter", "2.6.1-p2", "cgn-exporter-2.6.1-p2.changes.txt", 55),
    ("minsu", "cgn-log-exporter", "2.6.1-p2", "cgn-exporter-2.6.1-p2.changes.txt", 54),
    ("ingrid", "edgeprov", "2026.03.1", "edgeprov-2026.03.1.patch.tar.gz", 26),
)

TASKS: Final = (
    Task(
        end_user="hanbit",
        software="cgn-log-exporter",
        version="2.6.1-p2",
        by="jae",
        asked=56,
        due=-46,
        instruction="Install on the standby exporter first, run `cgnctl reload`, then on the other one. Send the "
        "output of `cgnctl session list` afterwards.",
        done=53,
        done_by="minsu",
    ),
    Task(
        end_user="acme",
        software="cgn-log-exporter",
        version="2.6.1-p2",
        by="sam",
        asked=40,
        due=-12,
        instruction="Refused packets disable a collector session for good on 2.6.1 (D-1160). Install the patch on both "
        "exporters in the next maintenance window; no records are lost during the reload.",
    ),
    Task(
        end_user="nordlys",
        software="edgeprov",
        version="2026.03.1",
        by="sofia",
        asked=27,
        due=6,
        instruction="Install before the next bulk import (D-1168). Takes two minutes, no restart.",
    ),
)

CHECKS: Final = (
    Check(by="alice", software="pathkeeper", version="21.4R3-S5", hours=190 * 24, host="pk-sjc-01"),
    Check(
        by="priya",
        software="cgn-log-exporter",
        version="2.6.1",
        hours=131 * 24,
        host="cgn-exp-02",
        changed=("cgnctl-2.6.1.x86_64.rpm",),
    ),
    Check(by="priya", software="cgn-log-exporter", version="2.6.1", hours=129 * 24, host="cgn-exp-02"),
    Check(
        by="minsu",
        software="cgn-log-exporter",
        version="2.6.1-p2",
        hours=50,
        host="exp-bsn-1",
        changed=("cgn-exporter-2.6.1-p2.x86_64.rpm",),
    ),
)

DEMANDS: Final = (
    Demand(
        contract="acme-pathkeeper-2",
        text="Both controller nodes reach the time server over the management network; at most 50 ms apart.",
        source="product_document",
        named_in="PathKeeper design document 1.2, section 4",
        days=44,
        met=40,
        met_by="alice",
        note="chrony on both nodes, checked by monitoring.",
    ),
    Demand(
        contract="acme-pathkeeper-2",
        text="20 GB are free on /var/spool/pathkeeper of each node.",
        source="user_guide",
        named_in="Operations guide, chapter 2",
        days=44,
    ),
    Demand(
        contract="acme-pathkeeper-2",
        text="The replica limit is set to 2,000,000 entries on nodes with more than 64 GB of memory.",
        source="recommendation",
        named_in="Recommendation by support after D-1033",
        days=30,
        met=22,
        met_by="priya",
        note="Set on pk-sjc-01 and pk-sjc-02.",
    ),
    Demand(
        contract="hanbit-pathkeeper-2",
        text="Session logs of both nodes are kept for 30 days.",
        source="user_guide",
        named_in="Operations guide, chapter 6",
        days=150,
        met=141,
        met_by="minsu",
    ),
)

FREEZE: Final = (
    "From the 15th of next month until the first working day of the new year all changes in our core network are "
    "frozen. During that time we can give read-only remote access only, and cannot install patches."
)
FREEZE_ANSWER: Final = "Noted. Patches that are due in that time move to the first week after it."
LATE_DOCUMENTS: Final = (
    "The configuration of the Busan nodes cannot be handed out before our security review is done, likely in two "
    "weeks."
)

WHY_ALL_THE_SAME: Final = (
    "Our platform team rebuilt the exporter in Busan against an older TLS library, because one collector of the "
    "regulator speaks nothing newer. The collector is replaced next month; then we install the accepted package "
    "again and verify it. Please keep supporting the rest until then."
)
GRANTED_BECAUSE: Final = (
    "The change is limited to one library on one node and known in detail; work on it is charged. Verified code is "
    "due after it."
)
QUOTE_TEXT: Final = (
    "Segment routing policies for the core: what would the upgrade to 22.2R1 cost for two node pairs?"
)
QUOTE_ANSWER: Final = (
    "Includes one acceptance test day on site. The upgrade needs a design document of its own."
)
DOCUMENT_QUOTE: Final = (
    "Bring the EdgeProv test plan up to date for 2026.03, so that the contract can be renewed."
)

DOCUMENT_PRICE: Final = "EUR 4,800 for both"

NEW_END_USER: Final = {
    "name": "Fjordlink Bredbånd AS",
    "address": "Strandkaien 18, 5013 Bergen, Norway",
    "country": "NO",
    "contact_name": "Kari Moe",
    "contact_email": f"kari.moe@{NEW_CONTACT_DOMAIN}",
}

RATES: Final = (
    ("EUR", "275.00", 900),
    ("EUR", "290.00", 80),
    ("USD", "310.00", 900),
    ("USD", "325.00", 80),
)
