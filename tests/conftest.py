"""What every test needs: a log of the first customer's incident, and ``mcpdiag`` as a process of its own."""

import os
import pty
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def root() -> Path:
    return ROOT


@pytest.fixture
def environment() -> dict[str, str]:
    """A child's environment without the settings of whoever runs the tests."""
    dropped = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TERM", "PYTHONUNBUFFERED"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}


@pytest.fixture
def mcpdiag(environment: dict[str, str]) -> Run:
    """Run ``mcpdiag`` with these arguments in a child process."""

    def run(*arguments: str | Path, **options) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "woolly_mcpdiag", *map(str, arguments)],
            env=environment,
            text=True,
            timeout=30,
            check=False,
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )

    return run


class Terminal:
    """A terminal of 24 rows and 90 columns; what is written to ``stream`` can be read back once."""

    def __init__(self) -> None:
        self._ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 90))
        self.stream = os.fdopen(theirs, "w", encoding="utf-8")

    def shown(self) -> str:
        self.stream.close()
        parts = []
        while True:
            try:
                parts.append(os.read(self._ours, 4096))
            except OSError:  # how Linux says that the other end is closed
                return b"".join(parts).decode()

    def close(self) -> None:
        self.stream.close()
        os.close(self._ours)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    opened = Terminal()
    yield opened
    opened.close()


@pytest.fixture
def seed_log(tmp_path: Path) -> Path:
    """Three sessions as the first customer's backend logs them: 400, an id out of the 400, 200, then silence."""
    path = tmp_path / "seed.log"
    path.write_text(seed_lines(3), encoding="utf-8")
    return path


def seed_lines(sessions: int) -> str:
    """Return the lines of that many sessions, one after the other."""
    url = "http://localhost:8009/sse/"
    return "".join(
        f'INFO:httpx:HTTP Request: GET {url} "HTTP/1.1 400 Bad Request"\n'
        f"INFO:api.agents.universal:Created new MCP session {n:032x} for key simplifier_{n:08x}\n"
        f'INFO:httpx:HTTP Request: GET {url} "HTTP/1.1 200 OK"\n'
        for n in range(1, sessions + 1)
    )
