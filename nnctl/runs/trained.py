"""Finding the trained model a path means, and saying what is wrong where there is none."""

from pathlib import Path

from nnctl.errors import ConfigError, DataError
from nnctl.runs.directory import RunDirectory
from nnctl.runs.model import Model, load_model
from nnctl.runs.summary import status

#: What to do about a run without a model, by its status; any other is resumed.
ADVICE = {
    "running": "wait until it ends",
    "diverged": "change what its message says and train again",
}
#: What reading a header raises that holds anything at all: other types, other keys, numbers without bound.
MALFORMED = (
    ConfigError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)


def open_trained(path: Path) -> Model:
    """The model of a run directory, or of a model file on its own.

    Model files come from strangers too: whatever is in one, the answer is a model or an error.

    Raises:
        DataError: where there is no model yet, and for a file that is none.
    """
    file = model_file(path)
    try:
        return load_model(file)
    except DataError:
        raise
    except MALFORMED as error:
        raise DataError(
            f"{file}: the header is not one that nnctl writes ({_first_line(error)}); "
            "a model is a run directory or its model.safetensors"
        ) from None


def model_file(path: Path) -> Path:
    """The model file of a run directory; a file is taken for one.

    Raises:
        DataError: where there is nothing, another kind of file, or a run that has not made its model yet.
    """
    if not path.exists():
        raise DataError(f"{path}: no such run; `nnctl train` prints the path of a run, `nnctl runs list` lists them")
    if not path.is_dir():
        if path.suffix in (".yaml", ".yml"):
            raise DataError(f"{path}: is an experiment file; train it first, and name the run or its model.safetensors")
        return path
    run = RunDirectory(path)
    if run.model.exists():
        return run.model
    if not run.run_json.exists():
        raise DataError(f"{path}: is no run directory (it has no run.json) and holds no model.safetensors")
    info = run.info()
    became, reason = status(info), info.get("stop_reason")
    state = f"{became}: {reason}" if reason else became
    advice = ADVICE.get(became, f"go on with it: nnctl train --resume {path}")
    raise DataError(f"{path}: has no model yet (status {state}); {advice}")


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
