"""``python -m ssa``: the command line, where ``ssa`` itself isn't on the path."""

import sys

from ssa.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
