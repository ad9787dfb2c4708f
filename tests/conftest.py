"""How Hypothesis searches: without deadlines, as a busy machine is no defect; in CI the same examples each time."""

import os

from hypothesis import settings

settings.register_profile("nnctl", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("nnctl")
