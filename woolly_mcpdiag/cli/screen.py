"""The one place that knows what the terminal can show: colour, width, and a reader who has gone away."""

import os
import sys
from typing import TextIO

PLAIN_WIDTH = 100
"""Columns where nobody looks at a terminal."""
NARROWEST = 40
_ANSI = {"red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def is_terminal(stream: TextIO | None) -> bool:
    """True where a person looks at the stream; False for a closed one."""
    return stream is not None and not stream.closed and stream.isatty()


def colour_allowed(stream: TextIO) -> bool:
    """Colour goes to a terminal only, and not with ``NO_COLOR`` (any value but "") or ``TERM=dumb``."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def columns(stream: TextIO) -> int:
    """Return the width of the stream's terminal (``COLUMNS`` where that is set), 100 where there is none."""
    if not is_terminal(stream):
        return PLAIN_WIDTH
    told = os.environ.get("COLUMNS", "")
    # 0 is what a terminal says that does not know.
    width = int(told) if told.isascii() and told.isdigit() else os.get_terminal_size(stream.fileno()).columns
    return max(NARROWEST, width or PLAIN_WIDTH)


def paint(text: str, colour: str) -> str:
    """Return a word in bold colour for stderr, as it is where stderr shows no colour."""
    return f"\x1b[1;{_ANSI[colour]}m{text}\x1b[0m" if colour_allowed(sys.stderr) else text


def put(data: str | bytes) -> None:
    """Write a result to stdout; a reader who closes the pipe early (``| head``) is no error.

    Text is written in the encoding of stdout, with an escape for what that cannot hold.
    """
    if isinstance(data, str):
        data = data.encode(sys.stdout.encoding or "utf-8", "backslashreplace")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    except BrokenPipeError:
        give_up_stdout()


def give_up_stdout() -> None:
    """Send the rest of stdout nowhere, after its reader has closed the pipe."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        # No real descriptor behind it: then nothing is left to be flushed at exit either.
        return
