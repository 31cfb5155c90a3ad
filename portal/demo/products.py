"""What was built for whom: custom software, its release lines, releases with notes and files, acceptances."""

from dataclasses import dataclass
from typing import Final

from contracts.kinds import ReleaseKind, SoftwareKind


@dataclass(frozen=True, kw_only=True)
class Product:
    slug: str
    name: str
    sow: str
    deliverable: str
    description: str
    end_users: tuple[str, ...]
    kind: SoftwareKind = SoftwareKind.SUPPORTED


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A defect, recorded `days` ago."""

    number: str
    software: str
    title: str
    workaround: str
    days: int


@dataclass(frozen=True, kw_only=True)
class Version:
    """A release: drafted `drafted` days ago, published and withdrawn so many days ago, if at all."""

    software: str
    version: str
    line: str
    kind: ReleaseKind
    drafted: int
    published: int | None
    notes: str
    files: tuple[tuple[str, int], ...]
    applies_to: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    fixes: str = ""
    withdrawn: int | None = None
    withdrawn_reason: str = ""
    # edited at the site: may differ from the manifest
    edited: tuple[tuple[str, int], ...] = ()
    component: str = ""


PRODUCTS: Final = (
    Product(
        slug="pathkeeper",
        name="PathKeeper",
        sow="SOW-2023-0147",
        deliverable="PathKeeper path protection controller",
        description="Computes and protects traffic paths across the core: candidate paths, fast failover between "
        "two controller nodes, path history and a live map. Runs on pairs of nodes next to the route reflectors.",
        end_users=("acme", "hanbit", "nordlys", "rival"),
    ),
    Product(
        slug="cgn-log-exporter",
        name="CGN Log Exporter",
        sow="SOW-2024-0032",
        deliverable="Export of CGN session and port block records",
        description="Takes session and port block records of carrier-grade NAT, keeps them in a journal and sends "
        "them to collectors as IPFIX, syslog over TLS, or CSV files, for retention and for the regulator's feed.",
        end_users=("acme", "hanbit", "nordlys", "rival"),
    ),
    Product(
        slug="edgeprov",
        name="EdgeProv",
        sow="SOW-2024-0110",
        deliverable="Zero-touch provisioning of edge devices",
        description="Provisions access and edge devices from service templates: zero touch, bulk import, preview, "
        "commit and rollback, inventory synchronisation and hooks.",
        end_users=("acme", "hanbit", "nordlys"),
    ),
    Product(
        slug="subscriber-report-scripts",
        name="Subscriber Report Scripts",
        sow="SOW-2025-0009",
        deliverable="Monthly subscriber reports (consulting deliverable)",
        description="A set of scripts written during a consulting engagement. Not covered by the support service.",
        end_users=("acme",),
        kind=SoftwareKind.CONSULTING,
    ),
)

FAULTS: Final = (
    Fault(
        number="D-1033",
        software="pathkeeper",
        title="Abort when the standby's replica reaches its limit",
        workaround="set services pathkeeper replica max-entries 2000000",
        days=351,
    ),
    Fault(
        number="D-1098",
        software="cgn-log-exporter",
        title="Zero-byte marker files are left in the retry queue for refusal code 14",
        workaround="Delete files of zero bytes older than ten minutes; safe while the exporter runs.",
        days=296,
    ),
    Fault(
        number="D-1133",
        software="pathkeeper",
        title="Path history table is limited to 1,000 changes after a reload",
        workaround="",
        days=95,
    ),
    Fault(
        number="D-1160",
        software="cgn-log-exporter",
        title="ICMP unreachable disables a collector session for good",
        workaround="cgnctl session enable <name>",
        days=64,
    ),
    Fault(
        number="D-1168",
        software="edgeprov",
        title="Bulk import stops at the end of the workbook's print area",
        workaround="Import the list as CSV.",
        days=65,
    ),
    Fault(
        number="D-1182",
        software="cgn-log-exporter",
        title="Retry queue uses up all inodes after a collector outage",
        workaround="Move the retry folder away while the exporter runs; it is recreated within a second.",
        days=11,
    ),
    Fault(
        number="D-1207",
        software="pathkeeper",
        title="Standby asks for a resync of the generation that it has, sessions flap after a failover",
        workaround="Restart pkd on the standby, once, after the failover.",
        days=9,
    ),
)

_PK: Final = "pathkeeper"
_CGN: Final = "cgn-log-exporter"
_EDGE: Final = "edgeprov"
_RELEASE, _UPDATE, _PATCH = ReleaseKind.RELEASE, ReleaseKind.UPDATE, ReleaseKind.PATCH

VERSIONS: Final = (
    Version(
        software=_PK,
        version="21.4R3-S3",
        line="21.4R3",
        kind=_RELEASE,
        drafted=690,
        published=680,
        notes="First release of PathKeeper under the statement of work, as tested against test plan 1.2.",
        files=(("pathkeeper-21.4R3-S3.tgz", 148_203_118), ("pathkeeper-web-21.4R3-S3.tgz", 22_410_932)),
    ),
    Version(
        software=_PK,
        version="21.4R3-S4",
        line="21.4R3",
        kind=_UPDATE,
        drafted=520,
        published=505,
        applies_to=("21.4R3-S3",),
        notes="Maintenance release.\n\n- Path history is keyed by tunnel UUID. Convert once with "
        "`request services pathkeeper history convert`.\n- Replica schema 17.\n- 31 corrections, see the list.",
        files=(("pathkeeper-21.4R3-S4.tgz", 149_881_204), ("pathkeeper-web-21.4R3-S4.tgz", 22_618_711)),
        edited=(("etc/pathkeeper/site.conf", 2_118),),
    ),
    Version(
        software=_PK,
        version="21.4R3-S5",
        line="21.4R3",
        kind=_UPDATE,
        drafted=226,
        published=212,
        applies_to=("21.4R3-S3", "21.4R3-S4"),
        notes="Maintenance release.\n\n- Reaching the replica's limit raises an alarm instead of an abort (D-1033).\n"
        "- `failback-hold` wins over `revert immediate` (D-1071).\n- Interface names are resolved before a trap is "
        "queued.\n- Replica schema 18; in-service upgrade from S4 is supported.",
        files=(("pathkeeper-21.4R3-S5.tgz", 151_002_377), ("pathkeeper-web-21.4R3-S5.tgz", 22_704_020)),
        edited=(("etc/pathkeeper/site.conf", 2_204),),
    ),
    Version(
        software=_PK,
        version="21.4R3-S4.1",
        line="21.4R3",
        kind=_PATCH,
        drafted=72,
        published=68,
        applies_to=("21.4R3-S4",),
        fixes="D-1133",
        notes="Patch for 21.4R3-S4: the path history keeps the configured number of changes after a reload "
        "(D-1133).\n\nInstall on the standby first, then fail over. No restart of rpd is needed.",
        files=(("pathkeeper-21.4R3-S4.1-patch.tgz", 3_118_540),),
    ),
    Version(
        software=_PK,
        version="22.2R1",
        line="22.2R1",
        kind=ReleaseKind.UPGRADE,
        drafted=75,
        published=60,
        notes="Upgrade with new features: segment routing policies, second live map, API version 3. Upgrades are not "
        "part of the support service; ask Professional Services for a quote.",
        files=(("pathkeeper-22.2R1.tgz", 171_440_092),),
    ),
    Version(
        software=_PK,
        version="21.4R3-S5.1",
        line="21.4R3",
        kind=_PATCH,
        drafted=4,
        published=None,
        applies_to=("21.4R3-S5",),
        fixes="D-1207",
        notes="Patch for 21.4R3-S5: the standby no longer asks for a resync of the generation that it has (D-1207). "
        "BGP sessions stay up after a failover.\n\nInstall on the standby first. Takes about four minutes per node, no "
        "loss of traffic.",
        files=(("pathkeeper-21.4R3-S5.1-patch.tgz", 3_206_772), ("README-21.4R3-S5.1.txt", 4_118)),
    ),
    Version(
        software=_CGN,
        version="2.6.0",
        line="2.6",
        kind=_RELEASE,
        drafted=660,
        published=650,
        notes="First release of the 2.6 line: journal on disk, IPFIX and syslog over TLS.",
        files=(("cgn-exporter-2.6.0.x86_64.rpm", 18_402_316), ("cgnctl-2.6.0.x86_64.rpm", 2_204_981)),
    ),
    Version(
        software=_CGN,
        version="2.6.1",
        line="2.6",
        kind=_UPDATE,
        drafted=298,
        published=288,
        applies_to=("2.6.0",),
        notes="Maintenance release.\n\n- Record type 12 (journal heartbeat).\n- `ipfix.template_refresh` documented.\n"
        "- Base library for TLS replaced.\n- 18 corrections, see the list.",
        files=(("cgn-exporter-2.6.1.x86_64.rpm", 18_577_040), ("cgnctl-2.6.1.x86_64.rpm", 2_211_370)),
        edited=(("etc/cgn-exporter/collectors.conf", 1_440),),
        component="TLS base library 3.0",
    ),
    Version(
        software=_CGN,
        version="2.6.1-p1",
        line="2.6",
        kind=_PATCH,
        drafted=284,
        published=281,
        applies_to=("2.6.1",),
        fixes="D-1098",
        notes="Patch for 2.6.1: marker files are removed for every refusal code (D-1098).",
        files=(("cgn-exporter-2.6.1-p1.x86_64.rpm", 18_577_212),),
    ),
    Version(
        software=_CGN,
        version="2.6.1-p2",
        line="2.6",
        kind=_PATCH,
        drafted=60,
        published=57,
        applies_to=("2.6.1", "2.6.1-p1"),
        fixes="D-1160",
        notes="Patch for 2.6.1 and 2.6.1-p1: a refused packet delays a collector session instead of disabling it "
        "(D-1160). The former default of `csv.profile` is restored (D-1151).\n\n```\n"
        "rpm -U cgn-exporter-2.6.1-p2.x86_64.rpm\ncgnctl reload\n```",
        files=(
            ("cgn-exporter-2.6.1-p2.x86_64.rpm", 18_578_844),
            ("cgn-exporter-2.6.1-p2.changes.txt", 1_912),
        ),
    ),
    Version(
        software=_CGN,
        version="2.6.1-p3",
        line="2.6",
        kind=_PATCH,
        drafted=3,
        published=None,
        applies_to=("2.6.1", "2.6.1-p1", "2.6.1-p2"),
        fixes="D-1182",
        notes="Patch for 2.6.1: the retry queue keeps one index instead of one file per batch (D-1182). Times are "
        "always UTC, whatever `TZ` says (D-1190).",
        files=(("cgn-exporter-2.6.1-p3.x86_64.rpm", 18_580_102),),
    ),
    Version(
        software=_EDGE,
        version="2025.12",
        line="LTS",
        kind=_RELEASE,
        drafted=430,
        published=420,
        notes="Long-term release 2025.12 as tested against test plan 2.0.",
        files=(("edgeprov-2025.12.tar.gz", 61_230_448), ("edgeprov-templates-2025.12.tar.gz", 1_804_226)),
    ),
    Version(
        software=_EDGE,
        version="2026.02",
        line="LTS",
        kind=_UPDATE,
        drafted=195,
        published=186,
        applies_to=("2025.12",),
        withdrawn=178,
        withdrawn_reason="A commit could remove static routes that were added by hand (D-1091). Use 2026.03.",
        notes="Maintenance release.",
        files=(("edgeprov-2026.02.tar.gz", 62_007_313),),
    ),
    Version(
        software=_EDGE,
        version="2026.03",
        line="LTS",
        kind=_UPDATE,
        drafted=176,
        published=170,
        applies_to=("2025.12", "2026.02"),
        notes="Maintenance release.\n\n- Renamed objects keep their place on rollback (D-1049).\n- Letters beyond "
        "ASCII in template variables (D-1087).\n- Optics are objects of their own in the inventory.",
        files=(("edgeprov-2026.03.tar.gz", 62_114_905), ("edgeprov-templates-2026.03.tar.gz", 1_811_037)),
        edited=(("etc/edgeprov/site.yml", 3_310),),
    ),
    Version(
        software=_EDGE,
        version="2026.03.1",
        line="LTS",
        kind=_PATCH,
        drafted=34,
        published=30,
        applies_to=("2026.03",),
        fixes="D-1168",
        notes="Patch for 2026.03: bulk import reads the whole sheet, whatever its print area (D-1168).",
        files=(("edgeprov-2026.03.1.patch.tar.gz", 402_118),),
    ),
)

# files up to this size are there to be fetched; of larger ones the demo has the manifest only
MOST_BYTES: Final = 4_000_000

# what others made, inside each release of a software (C70)
COMPONENTS: Final = {
    _PK: (
        ("OpenSSL", "3.0.13", "Apache-2.0"),
        ("libyang", "2.1.148", "BSD-3-Clause"),
        ("nghttp2", "1.59", "MIT"),
    ),
    _CGN: (("OpenSSL", "3.0.13", "Apache-2.0"), ("zstd", "1.5.5", "BSD-3-Clause")),
    _EDGE: (("Jinja2", "3.1.4", "BSD-3-Clause"), ("PyYAML", "6.0.1", "MIT")),
}

# texts of the demo's own, nobody's contract
LICENCE_TEXT: Final = """## What you may do

1. Install and run the software on the machines that the design document names, for your own operation only.
2. Keep as many copies as operation and backup need.

## What you may not do

1. Hand it on, rent it out, or run it for others.
2. Change it. Files that the manifest marks as edited at the site are the exception.

## Components made by others

Each release lists them with their own licences, which stay in force beside this one.
"""
AGREEMENT_TEXT: Final = """## Support

Support is given for a fixed term, for the releases that the end user has accepted, round the clock and from afar.
Response times are targets.

## What the end user sees to

Access to the affected network, named technical contacts, backups before a case is opened, and news of people who leave.

## Order of documents

Where the service description says otherwise, this agreement and the licence stand above it.
"""

# who accepted what, so many days ago
ACCEPTANCES: Final = (
    ("alice", _PK, "21.4R3-S3", 640),
    ("alice", _PK, "21.4R3-S4", 480),
    ("priya", _PK, "21.4R3-S5", 200),
    ("alice", _CGN, "2.6.0", 598),
    ("alice", _CGN, "2.6.1", 285),
    ("minsu", _PK, "21.4R3-S4", 478),
    ("minsu", _PK, "21.4R3-S5", 157),
    ("minsu", _CGN, "2.6.1", 88),
    ("minsu", _CGN, "2.6.1-p1", 87),
    ("minsu", _EDGE, "2025.12", 400),
    ("minsu", _EDGE, "2026.03", 128),
    ("ingrid", _EDGE, "2025.12", 334),
    ("ingrid", _EDGE, "2026.03", 150),
    ("ingrid", _PK, "21.4R3-S4", 118),
    ("mallory", _PK, "21.4R3-S4", 380),
    ("mallory", _PK, "21.4R3-S5", 96),
    ("mallory", _CGN, "2.6.0", 325),
    ("alice", _EDGE, "2026.03", 12),
)
