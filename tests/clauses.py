"""The clause table: which test stands for which clause of the service description.

`python -m tests.clauses` runs every test that carries a clause, prints the table and keeps it in
docs/clauses.md; its last line is `clauses: 76 of 76`, exit 1 while one has no passing test.
"""

import sys
from pathlib import Path

from tests.tables import Row, outcomes, print_table

CLAUSES = [*(f"C{n}" for n in range(1, 50)), "C50a", "C50b", *(f"C{n}" for n in range(51, 76))]
TABLE = Path(__file__).resolve().parent.parent / "docs" / "clauses.md"


def write_table(rows: dict[str, Row]) -> None:
    lines = [
        "# Clauses of the service description, and the tests that stand for them",
        "",
        "Made by `make clauses`; do not edit.",
        "",
        "| clause | tests |",
        "|---|---|",
    ]
    for clause in CLAUSES:
        tests = sorted({name.split("[")[0] for name in rows[clause].passed}) if clause in rows else []
        lines.append(f"| {clause} | {'<br>'.join(f'`{name}`' for name in tests) or 'none yet'} |")
    TABLE.write_text("\n".join(lines) + "\n")


def main() -> int:
    rows = outcomes("clause", "-n", "2")
    write_table(rows)
    return print_table("clause", CLAUSES, rows, "clauses: {held} of {all}")


if __name__ == "__main__":
    sys.exit(main())
