"""What starting and ending a process need not cost; imported before everything else."""

import atexit
import gc
import os

# A command makes some hundred thousand objects that live as long as its process. Python's collector of cycles would
# look through them after every 700 more, and once again at the end: a fifth of the time of a short run.
gc.set_threshold(300_000, 20, 100)
atexit.register(gc.freeze)
# For plugins, of which nnctl has none, pydantic would read the metadata of every package that is installed.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
