"""`python -m core.backend` and the program `bursar-backend`."""

from __future__ import annotations

import sys

from core.backend.cli import main as run


def main() -> None:
    sys.exit(run())


if __name__ == "__main__":
    main()
