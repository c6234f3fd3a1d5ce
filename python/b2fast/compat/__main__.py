"""``python -m b2fast.compat``: runs a program of b2sdk's with b2fast in its place."""

import sys

from .run import main

if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
