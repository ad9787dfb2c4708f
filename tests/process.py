"""The tool as a process: what scripts see."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def nnctl(
    *arguments: object, cwd: Path, code: int = 0, text_in: str | None = None, **environment: Any
) -> subprocess.CompletedProcess[str]:
    """Run nnctl, demand an exit code, return the finished process (stdout and stderr as text)."""
    done = subprocess.run(
        [sys.executable, "-m", "nnctl", *map(str, arguments)],
        cwd=cwd,
        input=text_in,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )
    assert done.returncode == code, f"exit {done.returncode}, expected {code}\n{done.stdout}\n{done.stderr}"
    return done


def start(*arguments: object, cwd: Path) -> subprocess.Popen[str]:
    """Start nnctl and return the running process, which heeds signals even where these tests were told not to.

    A shell that runs them in its background tells them to ignore Ctrl-C, nohup the end of the terminal.
    """
    heeded = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGHUP)]
    for number, _ in heeded:
        signal.signal(number, signal.SIG_DFL)  # inherited
    try:
        return _started(arguments, cwd)
    finally:
        for number, before in heeded:
            signal.signal(number, before)


def _started(arguments: Sequence[object], cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "nnctl", *map(str, arguments)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def wait_for(condition: Callable[..., Any], process: subprocess.Popen[str], seconds: int = 60) -> None:
    """Wait until a condition holds or the process has ended."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "nothing happened"
        if process.poll() is not None:
            return
        time.sleep(0.005)


def end(process: subprocess.Popen[str], number: int = signal.SIGKILL) -> tuple[int, str, str]:
    """Send a signal and wait; returns (exit code, stdout, stderr)."""
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def command() -> str:
    """How a shell runs nnctl."""
    return f"{sys.executable} -m nnctl"
