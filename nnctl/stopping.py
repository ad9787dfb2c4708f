"""A signal's wish that the work should end, kept until it can."""

from dataclasses import dataclass
from signal import SIGINT, SIGTERM, Signals

from nnctl.errors import Interrupted


@dataclass
class StopRequest:
    """Set by a signal handler; whoever works looks at it where stopping loses nothing."""

    signal: int | None = None

    @property
    def name(self) -> str:
        """What the person or script did."""
        return "Ctrl-C" if self.signal == SIGINT else Signals(self.signal or SIGTERM).name

    def check(self) -> None:
        """End here if asked to, before anything was begun.

        Raises:
            Interrupted: with the exit code of the signal.
        """
        if self.signal is not None:
            raise Interrupted(f"stopped by {self.name} before training began", 128 + self.signal)
