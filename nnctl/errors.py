"""What can go wrong, each with the exit code scripts rely on.

| code | meaning | class |
|---|---|---|
| 1 | a defect of nnctl itself | any other exception |
| 2 | usage or configuration | `ConfigError` |
| 3 | data | `DataError` |
| 4 | a check said no | `CheckFailed` |
| 5 | training diverged | `Diverged` |
| 6 | the system refused: disk full, no permission, out of memory | `OSError`, `MemoryError` |
| 129, 130, 143 | the terminal closed, Ctrl-C, SIGTERM | `Interrupted` |
"""


class NnctlError(Exception):
    """A mistake or event the user is told about without a traceback."""

    exit_code: int = 1


class ConfigError(NnctlError):
    """The command line or the experiment file asks for something impossible."""

    exit_code = 2


class DataError(NnctlError):
    """A data file is missing, malformed, or does not fit the model."""

    exit_code = 3


class CheckFailed(NnctlError):
    """A check the user asked for (gradient check, `--fail-under`) did not pass."""

    exit_code = 4


class Diverged(NnctlError):
    """A loss or gradient stopped being a finite number."""

    exit_code = 5


class Interrupted(NnctlError):
    """A signal ended the command after it had saved what it had."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code
