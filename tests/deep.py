"""The long checks, by name: thousands of random runs, gigabytes, long attacks. The suite runs a small one of each.

`python -m tests.deep` runs them all, `ONLY=name,name` some; the last line is `deep: 3 held of 3`.
"""

import os
import sys

from tests.tables import outcomes, print_table

CHECKS = [
    "business clock equals a brute-force count on 10,000 pairs",
    "2 GB up and down, cut three times: flat memory, equal hash",
    "5,000 contracts from a file: every bad row named, flat memory, nothing twice",
    "facts and decisions of 2,000 organisations cost less than three times their rows",
]


def main() -> int:
    os.environ["PORTAL_DEEP"] = "1"
    only = [part.strip() for part in os.environ.get("ONLY", "").split(",") if part.strip()]
    names = [name for name in CHECKS if not only or any(part in name for part in only)]
    if not names:
        print(f"no long check is called {' or '.join(only)}; there are: {'; '.join(CHECKS)}")
        return 2
    return print_table(
        "deep", names, outcomes("deep", "-p", "no:randomly", only=names), "deep: {held} held of {all}"
    )


if __name__ == "__main__":
    sys.exit(main())
