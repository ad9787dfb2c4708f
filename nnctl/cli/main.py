"""The entry point: which commands there are, and what their endings mean to the shell.

Exit codes are listed in `nnctl.errors`; besides, 141 (128 + SIGPIPE) says that the reader of a pipe went
away, as in `nnctl runs list | head`. Command modules are imported when they are run: `nnctl --help` reads
only the table below.
"""

from nnctl.cli import _startup  # isort: skip  # noqa: F401 - before what takes long to import

import errno
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup

from nnctl import __version__
from nnctl.cli._console import console
from nnctl.engine import blas
from nnctl.errors import NnctlError


class Command(NamedTuple):
    """A line of the table: where the command is (`module:function` or `module:app`), and what it is for."""

    target: str
    summary: str


COMMANDS = {
    "train": Command("train:train", "Train a network; print the path of the run."),
    "eval": Command("evaluate:evaluate", "Measure a trained network on data it has not seen."),
    "predict": Command("predict:predict", "Predict with a trained network."),
    "gradcheck": Command(
        "gradcheck:gradcheck", "Compare the gradients of backpropagation with difference quotients, in float64."
    ),
    "init": Command("init:init", "Write an experiment file for data: a table, arrays or images."),
    "check": Command("check:check", "Look for mistakes before training: shapes, data, loss."),
    "explain": Command("explain:explain", "Show every number of one training step."),
    "plot": Command("plot:plot", "Draw learning curves, confusion matrix, filters, feature maps."),
    "runs": Command("runs:app", "List, show and compare runs."),
    "datasets": Command("datasets:app", "List, make and fetch data sets."),
    "schema": Command("schema:schema", "Print the JSON Schema of the experiment file."),
}

#: The exit code for what the operating system does not let be done, and what helps.
REFUSED = 6
ADVICE = {
    errno.ENOSPC: "make room, or write to another disk",
    errno.EDQUOT: "make room, or write to another disk",
    errno.EFBIG: "`ulimit -f` limits the size of files here",
    errno.EMFILE: "`ulimit -n` limits how many files may be open",
    errno.ENFILE: "too many files are open on this machine",
    errno.ENAMETOOLONG: "give it a shorter name",
    errno.EACCES: "ask for the right to it, or name another place",
    errno.EPERM: "ask for the right to it, or name another place",
    errno.EROFS: "name a place that can be written to",
}

COMPLETION_VARIABLE = "_NNCTL_COMPLETE"
EPILOG = "Documentation and examples: docs/ and configs/ of the project."
UsageError: type[Any] = typer.BadParameter.__mro__[1]  # the class is typer's or click's own, by typer's version


class LazyGroup(TyperGroup):
    """The commands of the table, each imported when it is run."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return load(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            from nnctl.names import unknown

            ctx.fail(f"nnctl has {unknown('command', args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.summary) for name, command in COMMANDS.items()])


def load(name: str) -> Any:
    """A command of the table, ready to run."""
    blas.prepare()  # before the command imports NumPy
    module, _, attribute = COMMANDS[name].target.partition(":")
    member = getattr(import_module(f"nnctl.cli.{module}"), attribute)
    if not isinstance(member, typer.Typer):
        single = new_app()
        single.command(name)(member)
        member = single
    command = typer.main.get_command(member)
    command.name = name
    return command


def new_app(**settings: Any) -> typer.Typer:
    """A Typer app with the manners of this program; for commands that have commands."""
    return typer.Typer(
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=settings.pop("add_completion", False),
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
        **settings,
    )


app = new_app(cls=LazyGroup, add_completion=True, epilog=EPILOG)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
    as_json: bool = typer.Option(False, "--json", help="With --version: also of Python and the libraries, as JSON."),
    _quiet: bool = typer.Option(
        False, "--quiet", "-q", help="Only results and errors. Works before and after a command."
    ),
    _debug: bool = typer.Option(False, "--debug", help="Tracebacks with errors. Works before and after a command."),
) -> None:
    """Train neural networks from the shell, and check every number."""
    if version:
        print_version(as_json=as_json)
    elif context.invoked_subcommand is None:
        console.error("found no command")
        console.note("\n" + context.get_help())
        raise typer.Exit(2)


def print_version(*, as_json: bool) -> None:
    """The version, or with the versions of everything that may change a result."""
    if not as_json:
        console.result(f"nnctl {__version__}")
        return
    from importlib.metadata import version
    from platform import platform, python_version

    libraries = {name: version(name) for name in ("numpy", "polars", "pydantic", "safetensors")}
    console.json({"nnctl": __version__, "python": python_version(), **libraries, "platform": platform()})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    given, debug = without(given, "--debug")
    given, quiet = without(given, "--quiet", "-q")
    console.quiet = quiet
    try:
        with ended_by_signals():
            code = run(given)
        if sys.stdout is not None:  # the shell may have closed it
            sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain once more when it closes standard output; let it close nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except SystemExit:  # of the shell's completion, which has said what it had to
        raise
    except BaseException as error:  # noqa: BLE001 - nothing may pass without a message, also no panic of a library
        if debug:
            import traceback

            console.error(f"the traceback that --debug asks for\n{traceback.format_exc()}")
        return report(error)
    return code


class Terminated(BaseException):
    """A signal asks the process to end; what is half done is cleared away on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM, and a terminal that closes, end a command as Ctrl-C does; a second one ends the process at once."""

    def end(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        raise Terminated(number)

    heeded = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) == signal.SIG_DFL]
    for number in heeded:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, signal.SIG_DFL)


def run(arguments: list[str]) -> int:
    """Run a command; its errors go through."""
    command = typer.main.get_command(app)
    if COMPLETION_VARIABLE in os.environ:
        command.main(arguments, prog_name="nnctl")
    try:
        with command.make_context("nnctl", arguments) as context:
            command.invoke(context)
    except typer.Exit as ending:
        return ending.exit_code
    return 0


def report(error: BaseException) -> int:
    """Say what went wrong; returns the exit code."""
    match error:
        case NnctlError():
            console.error(str(error))
            return error.exit_code
        case KeyboardInterrupt():
            console.error("interrupted")
            return 130
        case UsageError():
            place = error.ctx.command_path if error.ctx else "nnctl"
            console.error(f"{error.format_message()}\nSee: {place} --help")
            return 2
        case Terminated():
            console.error(f"stopped by {error}")
            return error.exit_code
        case OSError() | MemoryError():
            console.error("; ".join(filter(None, [*refusal(error), *getattr(error, "__notes__", ())])))
            return REFUSED
    console.error(
        f"a defect of nnctl: {type(error).__name__}: {error}\n"
        "Run the command again with --debug to see where; please report it with that output."
    )
    return 1


def refusal(error: OSError | MemoryError) -> tuple[str, str]:
    """What the system refused, and what helps."""
    if isinstance(error, MemoryError):
        return (
            f"memory: {str(error) or 'there is not enough'}",
            "take fewer examples, a smaller batch or a smaller model",
        )
    return f"{error.filename or 'input or output'}: {error.strerror or error}", ADVICE.get(error.errno or 0, "")


def without(arguments: list[str], *flags: str) -> tuple[list[str], bool]:
    """The arguments without a flag that may stand anywhere before `--`, and whether it was there."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    kept = [argument for argument in arguments[:end] if argument not in flags]
    return kept + arguments[end:], len(kept) < end
