"""``python -m recio.im2rec``."""

import sys

from recio.im2rec.cli import main

if __name__ == "__main__":
    sys.exit(main())
