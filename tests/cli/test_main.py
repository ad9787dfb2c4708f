"""Exit codes, messages, lazy imports: what the shell sees of every command."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nnctl import __version__, errors
from nnctl.cli import main as entry
from nnctl.cli.main import COMMANDS, load, main, without
from nnctl.names import listed

PYTHON = [sys.executable, "-W", "error", "-m", "nnctl"]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes `nnctl schema` raise an error."""

    def install(error: Any) -> None:
        def command() -> None:
            """Fail."""
            raise error

        monkeypatch.setitem(sys.modules, "nnctl.cli.failing", SimpleNamespace(command=command))
        monkeypatch.setitem(COMMANDS, "schema", entry.Command("failing:command", "Fail."))

    return install


DEFECT = """\
error: a defect of nnctl: KeyError: 'a'
Run the command again with --debug to see where; please report it with that output.
"""
DENIED = "error: runs: Permission denied; ask for the right to it, or name another place\n"
MEMORY = "error: memory: 1 TiB; take fewer examples, a smaller batch or a smaller model\n"
ENDINGS = [
    (errors.ConfigError("a"), 2, "error: a\n"),
    (errors.DataError("a\n  b"), 3, "error: a\n  b\n"),
    (errors.CheckFailed("a"), 4, "error: a\n"),
    (errors.Diverged("a"), 5, "error: a\n"),
    (errors.Interrupted("a", 143), 143, "error: a\n"),
    (KeyboardInterrupt(), 130, "error: interrupted\n"),
    (PermissionError(13, "Permission denied", "runs"), 6, DENIED),
    (MemoryError("1 TiB"), 6, MEMORY),
    (KeyError("a"), 1, DEFECT),
]  # fmt: skip


@pytest.mark.parametrize(("error", "code", "message"), ENDINGS, ids=[type(error).__name__ for error, *_ in ENDINGS])
def test_errors_end_with_their_code_and_without_a_traceback(
    failing: Callable[..., None], capsys: pytest.CaptureFixture[str], error: Any, code: int, message: str
) -> None:
    failing(error)
    assert main(["--quiet", "schema"]) == code
    assert capsys.readouterr() == ("", message)


@pytest.mark.parametrize("arguments", [["--debug", "schema"], ["schema", "--debug"]])
def test_debug_shows_the_traceback(
    failing: Callable[..., None], capsys: pytest.CaptureFixture[str], arguments: Sequence[str]
) -> None:
    failing(errors.ConfigError("a"))
    assert main(arguments) == 2
    message = capsys.readouterr().err
    assert "Traceback (most recent call last)" in message
    assert message.endswith("error: a\n")


USAGE = [
    (
        ["shema"],
        f"nnctl has no command 'shema'; did you mean 'schema'? There are {listed(COMMANDS)}\nSee: nnctl --help",
    ),
    (["zzz"], f"nnctl has no command 'zzz'; there are {listed(COMMANDS)}\nSee: nnctl --help"),
    (["schema", "x"], "See: nnctl schema --help"),
    (["schema", "--nope"], "No such option: --nope"),
    (["--nope"], "No such option: --nope"),
    ([], "found no command"),
]


@pytest.mark.parametrize(("arguments", "words"), USAGE, ids=map(str, USAGE))
def test_usage_errors(capsys: pytest.CaptureFixture[str], arguments: Sequence[str], words: str) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert words in err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr() == (f"nnctl {__version__}\n", "")
    assert main(["--version", "--json"]) == 0
    assert {"nnctl", "python", "numpy", "platform"} <= set(json.loads(capsys.readouterr().out))


def test_help_fits_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], *([name] for name in COMMANDS)):
        assert main([*arguments, "--help"]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        assert max(map(len, out.splitlines())) <= 80
        assert "Usage: nnctl" in out


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_of_itself_what_the_table_says(name: str) -> None:
    assert load(name).help.partition("\n")[0] == COMMANDS[name].summary


def test_flags_stand_anywhere_before_the_double_dash() -> None:
    assert without(["a", "--debug", "b"], "--debug") == (["a", "b"], True)
    assert without(["a", "--", "-q"], "-q", "--quiet") == (["a", "--", "-q"], False)


HEAVY = {"numpy", "pydantic", "polars", "yaml", "rich", "rich.console", "safetensors", "nnctl.cli.schema"}


def test_help_imports_nothing_heavy() -> None:
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "nnctl", "--help"], capture_output=True, text=True, check=True
    )
    imported = {line.rpartition("|")[2].strip() for line in run.stderr.splitlines()}
    assert "typer" in imported
    assert imported & HEAVY == set()


UNFLUSHED = """
import sys
from nnctl.cli import main
main.print_version = lambda as_json: sys.stdout.write("held back until the end")
sys.exit(main.main(["--version"]))
"""


@pytest.mark.parametrize("command", [[*PYTHON, "--version"], [sys.executable, "-c", UNFLUSHED]])
def test_a_reader_that_goes_away_is_no_defect(command: Sequence[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "PYTHONUNBUFFERED": ""}
    run = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env=environment, check=False)
    os.close(writing)
    assert (run.returncode, run.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_no_defect() -> None:
    with Path("/dev/full").open("w") as full:
        run = subprocess.run([*PYTHON, "--version"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert run.returncode == 6
    assert run.stderr == ("error: input or output: No space left on device; make room, or write to another disk\n")


@pytest.mark.parametrize(("words", "completed"), [("nnctl sch", "schema"), ("nnctl unknown --he", "--help")])
def test_the_shell_completes(words: str, completed: str) -> None:
    completing = {"_NNCTL_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    run = subprocess.run(PYTHON, capture_output=True, text=True, env={**os.environ, **completing}, check=False)
    assert (run.stdout, run.stderr) == (f"{completed}\n", "")
