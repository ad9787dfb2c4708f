"""What training makes smaller: the contract between the loop and whatever it trains."""

from collections.abc import Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from nnctl.engine.parameters import Array


class Numbered(Sized, Protocol):
    """A batch: so many examples, and how many batches of the trial came before."""

    @property
    def number(self) -> int:
        """Batches before it since the first step of the trial: the address of its random numbers."""


B = TypeVar("B", bound=Numbered)


@dataclass(frozen=True)
class Measured:
    """What is said of an epoch.

    Attributes:
        figures: loss and metrics of each split, such as `validation.loss`.
        penalty: of the weights, as part of J.
        shares: of each output in the gradient of what several outputs share.
        layers: by layer, the figures of its health.
    """

    figures: Mapping[str, float]
    penalty: float = 0.0
    shares: Mapping[str, float] = field(default_factory=dict)
    layers: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


class Objective(Protocol[B]):
    """J(theta), its gradient batch by batch, and what is said of it epoch by epoch.

    Bound to one parameter vector theta, which the loop changes in place between two calls. The loop knows of
    batches, steps and epochs; what a batch holds, and whether there is a network, is the objective's own affair.
    """

    #: dJ/dtheta at the last step's batches, flat; the loop clips it in place.
    gradient: Array

    @property
    def length(self) -> int | None:
        """Batches in an epoch; None where only the end of an epoch tells."""

    def batches(self, epoch: int, first: int, taken: int) -> Iterator[B]:
        """The batches of an epoch, counted from 0, from its batch `first` on; `taken` came before in the trial.

        A batch depends on its epoch and place alone, so that training can go on from any of them.
        """

    def __call__(self, batches: Sequence[B], *, last: bool) -> float:
        """J over the batches of one step as over one; fills `gradient`, unless J is not finite.

        `last` says that the epoch ends with this step, and `measured` is asked next.
        """

    def stepped(self) -> None:
        """Take note that a step has changed theta: bring it back into its bounds, update running statistics."""

    def blame(self) -> str:
        """Where the first number of the last step that is not finite stands: a clause."""

    def measured(self) -> Measured:
        """What is said of the epoch that has ended."""

    def reset(self) -> None:
        """Forget the examples of the epoch that has ended."""

    def snapshot(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Arrays and JSON values of the epoch under way, from which `restore` makes the same."""

    def restore(self, arrays: Mapping[str, Array], values: Mapping[str, Any]) -> None:
        """Take on a snapshot."""
