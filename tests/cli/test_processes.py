"""What only a process of its own can show: exit codes, signals, pipes, terminals."""

import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Start]:
    """Start ``mcpdiag`` and leave it running; whatever still runs at the end of the test is ended."""
    children: list[subprocess.Popen[str]] = []

    def begin(*arguments: str | Path, **options) -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        command = [sys.executable, "-m", "woolly_mcpdiag", *map(str, arguments)]
        children.append(subprocess.Popen(command, env=environment, text=True, **pipes))
        return children[-1]

    yield begin
    for child in children:
        child.kill()
        child.communicate()


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "pipe.log"
    os.mkfifo(path)
    return path


@contextmanager
def no_reader() -> Iterator[int]:
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [([], 0), (["--fail-on", "any"], 1), (["--fail-on", "net"], 0), (["--since", "x"], 2), (["--nope"], 2)],
)
def test_the_shell_sees_the_exit_code(mcpdiag, seed_log: Path, arguments: list[str], code: int):
    assert mcpdiag("analyze-logs", seed_log, *arguments).returncode == code


def test_a_missing_log_is_exit_2_without_a_traceback(mcpdiag, tmp_path: Path):
    done = mcpdiag("analyze-logs", tmp_path / "missing.log")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_without_a_command_the_help_is_shown(mcpdiag):
    done = mcpdiag()
    assert done.returncode == 2
    assert "analyze-logs" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["analyze-logs", "LOG"], 0),
        (["analyze-logs", "LOG", "--fail-on", "any", "-q"], 1),
        (["explain"], 0),
        (["--help"], 0),
    ],
)
def test_a_reader_who_has_gone_away_is_no_failure(mcpdiag, seed_log: Path, arguments: list[str], code: int):
    with no_reader() as stdout:
        done = mcpdiag(*[str(seed_log) if word == "LOG" else word for word in arguments], stdout=stdout)
    assert done.stderr == ""
    assert done.returncode == code


def test_an_unwritable_output_is_said_before_the_reading_starts(mcpdiag, fifo: Path, tmp_path: Path):
    # Nobody ever writes to the pipe: whoever reads it first, waits for ever.
    done = mcpdiag("analyze-logs", fifo, "-o", tmp_path / "none" / "report.html")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


def test_a_pipe_that_lies_in_a_directory_of_logs_does_not_hold_the_reading(mcpdiag, seed_log: Path, fifo: Path):
    assert fifo.parent == seed_log.parent
    done = mcpdiag("analyze-logs", seed_log.parent)
    assert done.returncode == 0
    assert "session.harvested-from-400" in done.stdout


def test_ctrl_c_prints_what_was_found_so_far(start, fifo: Path, seed_log: Path):
    child = start("analyze-logs", fifo)
    with fifo.open("w", encoding="utf-8") as writer:
        # More than a pipe holds: once it is written, the child has read some of it.
        writer.write(seed_log.read_text(encoding="utf-8") * 400)
        writer.flush()
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=20)
    assert child.returncode == 130
    assert "Traceback" not in err
    assert "session.harvested-from-400" in out


def test_ctrl_c_before_the_first_byte_is_an_interruption_too(start, fifo: Path):
    child = start("analyze-logs", fifo)
    with fifo.open("w", encoding="utf-8"):
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=20)
    assert child.returncode == 130
    assert "Traceback" not in err
    assert out == ""


def test_ctrl_c_ends_following_with_the_full_report(start, tmp_path: Path, seed_log: Path):
    child = start("analyze-logs", "--follow", seed_log, stderr=subprocess.PIPE)
    seen = iter(child.stderr.readline, "")
    assert any("session.harvested-from-400" in line for line in seen)
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=20)
    assert child.returncode == 130
    assert "session.harvested-from-400" in out


def test_following_sees_what_is_appended_later(start, tmp_path: Path, seed_log: Path):
    text = seed_log.read_text(encoding="utf-8")
    log = tmp_path / "growing.log"
    log.write_text(text.splitlines(keepends=True)[0], encoding="utf-8")
    child = start("analyze-logs", "--follow", log)
    seen = iter(child.stderr.readline, "")
    assert any("1 request," in line for line in seen)
    with log.open("a", encoding="utf-8") as writer:
        writer.write("".join(text.splitlines(keepends=True)[1:]))
    assert any("6 requests," in line for line in seen)
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=20)


def test_following_a_pipe_ends_with_its_writer_and_its_verdict_counts(start, fifo: Path, seed_log: Path):
    child = start("analyze-logs", "--follow", fifo, "--fail-on", "session")
    with fifo.open("w", encoding="utf-8") as writer:
        writer.write(seed_log.read_text(encoding="utf-8"))
    out, _ = child.communicate(timeout=20)
    assert child.returncode == 1
    assert "session.harvested-from-400" in out


def on_a_terminal(start: Start, columns: int, *arguments: str | Path) -> str:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    child = start(*arguments, stdout=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    parts = []
    while True:
        try:
            parts.append(os.read(ours, 4096))
        except OSError:  # how Linux says that the other end is closed
            break
    os.close(ours)
    child.wait(timeout=20)
    return b"".join(parts).decode()


@pytest.mark.parametrize(
    ("variables", "arguments", "coloured"),
    [({}, [], True), ({"NO_COLOR": "1"}, [], False), ({"TERM": "dumb"}, [], False), ({}, ["--no-color"], False)],
)
def test_colour_is_for_terminals_that_want_it(
    start, environment, seed_log: Path, variables: dict[str, str], arguments: list[str], coloured: bool
):
    environment.update({"TERM": "xterm", **variables})
    assert ("\x1b[" in on_a_terminal(start, 100, "analyze-logs", seed_log, *arguments)) is coloured


@pytest.mark.parametrize("columns", [80, 120])
def test_text_fits_the_terminal(start, environment, seed_log: Path, columns: int):
    environment.update({"TERM": "xterm", "NO_COLOR": "1"})
    lines = on_a_terminal(start, columns, "analyze-logs", seed_log).splitlines()
    assert max(len(line) for line in lines if "mcpdiag " not in line) <= columns
