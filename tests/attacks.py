"""The attack table: each row is an attack that brought down a comparable product, and a test that it fails here.

`python -m tests.attacks` runs them; its last line is `attacks: 22 held of 22`. A row joins the table with the
feature that it attacks.
"""

import sys

from tests.tables import outcomes, print_table

ATTACKS = [
    "another organisation's object by number or id",
    "foreign ids in the body",
    "predictable or unauthenticated file link",
    "another customer's upload session",
    "search as an oracle",
    "notification to somebody who may no longer see the case",
    "read-only role tries every write",
    "empty, expired, used token on every token URL",
    "which addresses exist",
    "forwarded-for and host headers from a stranger",
    "script in every text",
    "dangerous file names and types",
    "header injection and CSV formulas",
    "SQL in every parameter",
    "session survives deactivation",
    "operations pages without rights",
    "two people change the same case at once",
    "the same form twice",
    "cross-site request, framing, sniffing, inline script",
]


def main() -> int:
    rows = outcomes("attack", "-n", "2")
    return print_table("attack", ATTACKS, rows, "attacks: {held} held of {all}")


if __name__ == "__main__":
    sys.exit(main())
