"""Speed and memory against the peers, one claim a row; run with `python -m benchmarks`.

The harness imports nothing but the standard library: a child's peak memory as the kernel tells it is never less
than its parent's, so the parent has to be small.
"""
