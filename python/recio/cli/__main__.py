"""``python -m recio.cli``."""

import sys

from recio.cli import main

if __name__ == "__main__":
    sys.exit(main())
