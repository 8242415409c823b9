"""`python -m tests.simulator --seeds N --first M [--jobs J]`; see the package's own words."""

from __future__ import annotations

import argparse
import os
import sys

from tests.simulator.run import simulate


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.simulator", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many worlds")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    chosen = parser.parse_args()
    return simulate(seeds=chosen.seeds, first=chosen.first, jobs=chosen.jobs)


if __name__ == "__main__":
    sys.exit(main())
