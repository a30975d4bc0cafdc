"""``python -m recio.im2rec``."""

import sys

from recio.im2rec._command import main

if __name__ == "__main__":
    sys.exit(main())
