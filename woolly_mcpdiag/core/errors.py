"""The one error base and the one exit-code table.

A message reads *subject: fact with its value*; the hint is an action.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command tells its caller; the same table for every command."""

    OK = 0
    """Passed, or nothing was found that asked for a failure."""
    NO = 1
    """The tool worked and says no: a gate failed, or findings at ``--fail-on``."""
    USAGE = 2
    """Wrong usage, or input that cannot be read or is empty."""
    INCONCLUSIVE = 3
    """Too little evidence for a verdict."""
    AWAY = 4
    """The target is unreachable, is not MCP, or wants authentication."""
    BUG = 70
    """A defect of mcpdiag itself (EX_SOFTWARE of sysexits.h)."""
    INTERRUPTED = 130
    """Ended by Ctrl-C; partial results were written (128 + SIGINT)."""


class McpdiagError(Exception):
    """An expected failure that a user can act on; printed without a traceback."""

    exit_code = ExitCode.USAGE

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(McpdiagError):
    """An option or argument that cannot mean anything."""


class InputError(McpdiagError):
    """Input that cannot be read, is empty, or is not what it claims to be."""


class TargetAwayError(McpdiagError):
    """The target cannot be reached, does not speak MCP, or wants authentication."""

    exit_code = ExitCode.AWAY
