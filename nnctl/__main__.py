"""`python -m nnctl` is `nnctl`."""

import sys

from nnctl.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
