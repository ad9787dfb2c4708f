"""What a command does to the process it starts in."""

import subprocess
import sys

from tests.process import ROOT

COLLECTED = """
import gc
rounds = []
gc.callbacks.append(lambda phase, info: rounds.append(phase))
from nnctl.cli.main import main
rounds.clear()
main(["--quiet", "check", "configs/xor.yaml", "--json"])
print(len(rounds))
"""


def test_what_is_imported_is_hardly_looked_through() -> None:
    """Python's own thresholds make 300 rounds of it."""
    done = subprocess.run([sys.executable, "-c", COLLECTED], cwd=ROOT, check=True, capture_output=True, text=True)
    assert int(done.stdout.splitlines()[-1]) < 20
