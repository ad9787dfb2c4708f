"""What is said of outputs that share layers with others; without NumPy, as listing runs needs none."""

from collections.abc import Iterator, Mapping

#: An output that has more than this share of the gradient in shared layers is warned of.
OVERBEARING = 0.9
#: What the key of an output's share in metrics.jsonl begins with.
SHARE = "gradient_share."


def overbearing(shares: Mapping[str, float]) -> Iterator[str]:
    """A warning where one output has nearly all of the gradient in what several outputs depend on."""
    for output, share in shares.items():
        if share > OVERBEARING:
            yield (
                f"the output {output} has {share:.0%} of the gradient in the layers that several outputs share, which "
                f"so learn little for the others; lower data.outputs.{output}.weight, or raise the others'"
            )
