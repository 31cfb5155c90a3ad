"""Runs the tests that carry a marker and says for each of the marker's names whether all its tests passed.

Behind `make clauses`, `make attacks` and `make deep`: tables whose every row is a test that ran just now.
"""

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Row:
    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return bool(self.passed) and not self.failed


def outcomes(marker: str, *pytest_arguments: str, only: Sequence[str] = ()) -> dict[str, Row]:
    """Name given to the marker, to the tests that passed and failed under it; `only` those of some names."""
    rows: dict[str, Row] = defaultdict(Row)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "outcomes.jsonl"
        which = marker if marker == "deep" else f"{marker} and not deep"
        command = [sys.executable, "-m", "pytest", "-q", "-m", which, f"--outcomes={report}"]
        command += [f"--only-marked={name}" for name in only]
        subprocess.run([*command, *pytest_arguments], check=False)
        for line in report.read_text().splitlines() if report.exists() else []:
            entry = json.loads(line)
            for name in entry["markers"].get(marker, []):
                row = rows[name]
                (row.passed if entry["outcome"] == "passed" else row.failed).append(entry["test"])
    return rows


def print_table(title: str, names: Sequence[str], rows: dict[str, Row], closing: str) -> int:
    """A line a name, then the closing line with how many hold of how many. Returns the exit code."""
    width = max((len(name) for name in names), default=0)
    for name in names:
        row = rows.get(name, Row())
        state = "held" if row.holds else "FAILED" if row.failed else "no test"
        print(f"{title} {name:{width}}  {state}  ({len(row.passed)} passed, {len(row.failed)} failed)")
    held = sum(rows.get(name, Row()).holds for name in names)
    print(closing.format(held=held, all=len(names)))
    return 0 if held == len(names) else 1
