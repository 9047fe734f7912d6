"""The one place for child processes: they say in one JSON line that they are ready, and end when their input does."""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import anyio
import anyio.to_thread

from woolly_mcpdiag.core.errors import TargetAwayError

PATIENCE = 1.5
"""Seconds that a child has to end by itself before it is killed."""
Child = subprocess.Popen[bytes]


def start(module: str, told: Mapping[str, Any]) -> Child:
    """Start ``python -m module`` with a JSON argument; it cannot outlive this process, whose end closes its input."""
    command = [sys.executable, "-m", module, json.dumps(told)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - our own module


def ready(child: Child) -> dict[str, Any]:
    """Wait for a child's line. Raises ``TargetAwayError`` where it ends without one."""
    line = child.stdout.readline() if child.stdout else b""
    if not line:
        msg = f"demo process {child.pid}: ended before it was ready"
        raise TargetAwayError(msg, hint="its error is printed above")
    row: dict[str, Any] = json.loads(line)
    return row


def end(children: Sequence[Child]) -> None:
    """Close their input and wait; kill what does not end."""
    for child in children:
        if child.stdin:
            child.stdin.close()
    for child in children:
        try:
            child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout:
            child.stdout.close()


def tell(row: Mapping[str, Any]) -> None:
    """In a child: say that it is ready."""
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


@contextlib.asynccontextmanager
async def ignoring_interrupts() -> AsyncIterator[None]:
    """In a child: a Ctrl-C in the terminal is the parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield


@contextlib.asynccontextmanager
async def until_told() -> AsyncIterator[None]:
    """In a child: leave the block when the input has ended."""
    async with ignoring_interrupts():
        yield
    await anyio.to_thread.run_sync(sys.stdin.buffer.read, abandon_on_cancel=True)
