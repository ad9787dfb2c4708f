"""Randomness is addressed, not consumed.

Every random stream is derived from the experiment's seed and an address such as
`("shuffle", restart, epoch)` or `("pass", restart, step, shard, layer)`. Nothing is shared between streams
and no generator state is ever saved: to resume, it is enough to know the address. Adding a
validation pass, a layer or a metric changes no other stream.

The generator is Philox, a counter-based generator made for this use: its key is the hash of the
address. Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from hashlib import blake2b

import numpy as np


def stream(seed: int, purpose: str, *address: int | str) -> np.random.Generator:
    """The random stream at an address.

    The same arguments give the same stream on every machine and in every process.
    """
    text = repr((seed, purpose, *address)).encode()
    key = int.from_bytes(blake2b(text, digest_size=16).digest(), "little")
    return np.random.Generator(np.random.Philox(key=key))
