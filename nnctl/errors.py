"""What can go wrong, each with the exit code scripts rely on.

| code | meaning | class |
|---|---|---|
| 1 | a defect of nnctl itself | any other exception |
| 2 | usage or configuration | `ConfigError` |
| 3 | data | `DataError` |
| 4 | a check said no | `CheckFailed` |
| 5 | training diverged | `Diverged` |
| 6 | the system refused: disk full, no permission, out of memory | `OSError`, `MemoryError`, `Lost` |
| 129, 130, 143 | the terminal closed, Ctrl-C, SIGTERM | `Interrupted` |
"""

from collections.abc import Sequence


class NnctlError(Exception):
    """A mistake or event the user is told about without a traceback."""

    exit_code: int = 1


class ConfigError(NnctlError):
    """The command line or the experiment file asks for something impossible.

    `key` is the path of the setting that is wrong, from where the error was raised; who passes the error on puts
    its own key before it with `under`.
    """

    exit_code = 2

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key

    def under(self, key: str) -> "ConfigError":
        """The same mistake, told from one mapping or list further out."""
        return ConfigError(str(self), ".".join(filter(None, (key, self.key))))


def several(messages: Sequence[str]) -> ConfigError:
    """All mistakes as one error."""
    if len(messages) == 1:
        return ConfigError(messages[0])
    return ConfigError("\n  ".join([f"{len(messages)} problems", *messages]))


class DataError(NnctlError):
    """A data file is missing, malformed, or does not fit the model."""

    exit_code = 3


class CheckFailed(NnctlError):
    """A check the user asked for (gradient check, `--fail-under`) did not pass."""

    exit_code = 4


class Diverged(NnctlError):
    """A loss or gradient stopped being a finite number."""

    exit_code = 5


class Lost(NnctlError):
    """Another process that took part in a training is gone."""

    exit_code = 6


class Interrupted(NnctlError):
    """A signal ended the command after it had saved what it had."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code
