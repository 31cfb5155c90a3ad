"""The bytes of the demo's attachments: logs and tables as such systems write them, the same for one seed."""

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_EXPORTER: Final = (
    "exporter[2211]: I_BATCH sent={n} collector=collector-1 took={ms}ms",
    "exporter[2211]: I_JOURNAL segment={n} sealed records={m}",
    "exporter[2211]: W_BACKLOG queue=ipfix-0 depth={m} oldest={ms}s",
    "exporter[2211]: E_SPOOL_FULL /var/spool/cgn 100% (spool_rotate: ENOSPC)",
    "exporter[2211]: E_REFUSED code=14 batch={n} collector=collector-2",
    "exporter[2211]: dropping batch {n}",
)
_PATHKEEPER: Final = (
    "pkd[3391]: PATH_TABLE entries {m} candidates {n}",
    "pkd[3391]: PATH_TABLE resync requested by standby, generation 4471 -> 4471",
    "pkd[3391]: REPLICA delta {n} applied in {ms} ms",
    "rpd[8127]: bgp_hold_timeout: peer 10.20.0.{b} (Internal AS 64512): hold timer expired",
    "rpd[8127]: bgp_io_mgmt_cb: peer 10.20.0.{b}: session established after {ms} ms",
    "bfdd[701]: session 10.20.7.{b} state change Up -> Down -> Up within {ms} ms",
    "/kernel: KERN_ARP_ADDR_CHANGE: arp info overwritten for 10.20.9.{b}",
)
_EDGEPROV: Final = (
    "edgeprov[402]: job {n} phase=render took={ms}ms",
    "edgeprov[402]: job {n} phase=diff objects={m}",
    "edgeprov[402]: job {n} phase=push device=cpe-{b} ok",
    "edgeprov[402]: inventory: slot {b} present=false known=true",
    "edgeprov[402]: worker 3 waits for the lock of audit, {ms} s",
)
_API: Final = (
    '10.91.4.77 "POST /api/session" 401 user=admin took={ms}ms',
    '10.91.4.77 "POST /api/session" 401 user=svc-path took={ms}ms',
    '10.91.2.{b} "GET /api/paths?limit={n}" 200 took={ms}ms',
    '10.91.2.{b} "GET /api/paths/fra%2Fvie-1" 500 took={ms}ms',
)
_FAMILIES: Final[tuple[tuple[tuple[str, ...], Sequence[str]], ...]] = (
    (("exporter", "spool"), _EXPORTER),
    (("api",), _API),
    (("rollback", "ztp", "inventory", "import", "issu"), _EDGEPROV),
)

Table = Callable[[random.Random, datetime], list[str]]


def content(name: str, *, at: datetime, zone: ZoneInfo, rng: random.Random) -> bytes:
    """A file of that name as somebody would attach it at `at`, in UTF-8."""
    local = at.astimezone(zone).replace(microsecond=0)
    if name in _TEXTS:
        lines = _TEXTS[name]
    elif name.endswith(".csv"):
        lines = _table(name, rng, local)
    else:
        lines = _log(name, rng, local)
    return ("\n".join(lines) + "\n").encode()


def _log(name: str, rng: random.Random, at: datetime) -> list[str]:
    templates = next((lines for words, lines in _FAMILIES if name.startswith(words)), _PATHKEEPER)
    count = rng.randint(400, 2400)
    moment = at - timedelta(seconds=count * 3)
    host = name.rsplit(".", 1)[0].removesuffix("-messages")
    lines = []
    for _line in range(count):
        moment += timedelta(seconds=rng.choice((1, 1, 2, 3, 5, 6)))
        words = rng.choice(templates).format(
            n=rng.randint(80_000, 99_999),
            m=rng.randint(100_000, 1_400_000),
            ms=rng.randint(2, 900),
            b=rng.randint(2, 250),
        )
        lines.append(f"{moment:%b %d %H:%M:%S} {host} {words}")
    return lines


def _table(name: str, rng: random.Random, at: datetime) -> list[str]:
    header = _HEADERS.get(name, "time,value,limit")
    columns = header.count(",")
    lines, level = [header], rng.randint(200, 400)
    for step in range(rng.randint(120, 480)):
        level += rng.randint(-3, 5)
        values = [str(level + rng.randint(0, 40) * column) for column in range(columns)]
        lines.append(",".join([(at - timedelta(minutes=10 * step)).isoformat(), *values]))
    return lines


_HEADERS: Final = {
    "commit-trace.csv": "time,render_ms,diff_ms,push_ms",
    "commit-trace-unordered.csv": "time,render_ms,diff_ms,push_ms",
    "counters.csv": "time,cgn_sessions,records_exported,drops",
    "jitter.csv": "time,rtt_min_ms,rtt_avg_ms,rtt_max_ms",
    "pkd-memory.csv": "time,rss_mb,subscriptions",
    "sample.csv": "time,src_ip,src_port,post_nat_ip,post_nat_port,pool",
    "garbled.csv": "time,operator,records",
}
_TEXTS: Final = {
    "config-diff.txt": [
        "--- node-a:/etc/cgn/exporter.conf",
        "+++ node-b:/etc/cgn/exporter.conf",
        "@@ -3,1 +3,1 @@",
        "-node.name = node-a",
        "+node.name = node-b",
    ],
    "df-inodes.txt": [
        "Filesystem      Inodes   IUsed   IFree IUse% Mounted on",
        "/dev/sda2      1310720  211034 1099686   17% /",
        "/dev/sdb1      3276800 3276800       0  100% /var/spool/cgn",
        "",
        "Filesystem      Size  Used Avail Use% Mounted on",
        "/dev/sdb1       932G  382G  550G  41% /var/spool/cgn",
    ],
    "journal-headers.txt": [
        "node-a segment 4409 first 18059264 last 18063359 sealed",
        "node-a segment 4410 first 18063360 last 18067455 reserved",
        "node-b segment 4410 first 18063360 last 18067455 sealed",
        "node-b segment 4413 first 18075648 last 18079743 open",
    ],
    "show-maintenance.txt": [
        "node pk-sjc-03  state draining  since 04:12:09",
        "paths total 1204  moved 1202  pinned 2",
        "  voice-core-a   pin strict   cost 20   candidates 1 (cost 40)",
        "  voice-core-b   pin strict   cost 20   candidates 1 (cost 40)",
    ],
    "core-summary.txt": [
        "Core was generated by `/usr/sbin/rpd -N'.",
        "Program terminated with signal SIGABRT, Aborted.",
        "#0  thr_kill () from /lib/libc.so.7",
        "#1  abort () from /lib/libc.so.7",
        "#2  replica_insert (tbl=0x8124c0000, key=0x7fffffffd3e0) at replica.c:611",
        "#3  path_table_apply (gen=1190, delta=0x81a00e000) at path_table.c:1402",
    ],
    "cpu-profile.txt": [
        "  81.2%  history_write",
        "   7.4%  path_table_refresh",
        "   4.1%  bgp_adj_rib_out",
        "   2.0%  snmp_walk",
    ],
    "pkd-snapshot.txt": [
        "arena            7 days ago     today      difference",
        "path_table        188.1 MB      188.4 MB      0.3 MB",
        "evt_sub            41.0 MB      321.7 MB    280.7 MB",
        "replica            64.2 MB       64.2 MB      0.0 MB",
    ],
    "pools.txt": [
        "pool  mode   sessions/s  records/s  profile",
        "   1  block       8,310      1,022  default",
        "   8  block       7,904        987  default",
        "   9  flow        6,120      6,118  default",
        "  11  flow        9,140          0  -",
        "  12  flow        5,871      5,870  default",
    ],
    "queue-stats.txt": [
        "hour   jobs  waited_max  workers_busy  holder",
        "00:00    12        0 s          1/4  job",
        "01:00    31     1182 s          4/4  audit",
        "02:00     9        1 s          1/4  job",
    ],
    "pk-node2.lic.txt": [
        "# PathKeeper licence, node 2",
        "host-id 7f3a-11c9-e402",
        "paths 100000",
        "signature MEUCIQDkN2v0wq5cY0kq3l2mXv1b8hQ7yT4aZs9d0eR6uF1JpAIgK3",
    ],
}
