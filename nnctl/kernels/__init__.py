"""Compiled forms of short functions, with the same bits; what is compilable, and why, says `nnctl.engine.compiled`."""

from nnctl.engine.compiled import Table


def table() -> Table:
    """All compiled forms by the functions they stand for; needs the extra `[fast]`."""
    from nnctl.kernels import layers, optimizers

    return {**optimizers.KERNELS, **layers.KERNELS}
