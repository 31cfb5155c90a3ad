"""The clause table: which test stands for which clause of the service description.

`python -m tests.clauses` runs every test that carries a clause and prints the table; its last line is
`clauses: 76 of 76`, exit 1 while one has no passing test. The table is kept in docs/clauses.md.
"""

import subprocess
import sys
from collections import defaultdict
from pathlib import Path

CLAUSES = [*(f"C{n}" for n in range(1, 50)), "C50a", "C50b", *(f"C{n}" for n in range(51, 76))]
TABLE = Path(__file__).resolve().parent.parent / "docs" / "clauses.md"


def _report_path() -> Path:
    return TABLE.parent.parent / "var" / "clauses.txt"


def run() -> dict[str, list[str]]:
    """Run the clause tests; clause to the names of its passing tests."""
    report = _report_path()
    report.parent.mkdir(exist_ok=True, mode=0o700)
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-m", "clause", "-n", "2", f"--clause-report={report}"]
    subprocess.run(command, check=False)
    found: dict[str, list[str]] = defaultdict(list)
    if report.exists():
        for line in report.read_text().splitlines():
            clause, name = line.split("\t")
            found[clause].append(name)
    return found


def write_table(found: dict[str, list[str]]) -> None:
    lines = [
        "# Clauses of the service description and the tests that stand for them",
        "",
        "Made by `make clauses`; do not edit.",
        "",
        "| clause | tests |",
        "|---|---|",
    ]
    for clause in CLAUSES:
        tests = "<br>".join(f"`{name}`" for name in sorted(set(found[clause]))) or "none yet"
        lines.append(f"| {clause} | {tests} |")
    TABLE.write_text("\n".join(lines) + "\n")


def main() -> int:
    found = run()
    write_table(found)
    covered = [clause for clause in CLAUSES if found[clause]]
    for clause in CLAUSES:
        print(f"{clause:5} {len(found[clause])} passing")
    print(f"clauses: {len(covered)} of {len(CLAUSES)}")
    return 0 if len(covered) == len(CLAUSES) else 1


if __name__ == "__main__":
    sys.exit(main())
