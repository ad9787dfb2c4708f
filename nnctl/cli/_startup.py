"""What starting a process need not cost; imported before everything else."""

import gc
import os

# Libraries make some hundred thousand objects that live as long as the process. Python's collector of cycles would
# look through them after every 700 more, which is a seventh of the time of a short run.
gc.set_threshold(100_000, 20, 100)
# For plugins, of which nnctl has none, pydantic would read the metadata of every package that is installed.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
