"""The error edge: the one place where an exception becomes a message and an exit code."""

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from woolly_mcpdiag import __version__
from woolly_mcpdiag.cli.light import lighten
from woolly_mcpdiag.cli.screen import give_up_stdout, paint
from woolly_mcpdiag.core.errors import ExitCode, McpdiagError

EXIT_CODES = {
    ExitCode.OK: "passed, or nothing found that --fail-on asks for",
    ExitCode.NO: "the tool worked and says no: a finding at --fail-on, a failed criterion",
    ExitCode.USAGE: "wrong usage, or input that cannot be read or is empty",
    ExitCode.INCONCLUSIVE: "too little evidence for a verdict, or the generator itself was too slow",
    ExitCode.AWAY: "the target is away, is not MCP, or wants authentication",
    ExitCode.BUG: "a defect of mcpdiag itself",
    ExitCode.INTERRUPTED: "ended by Ctrl-C; what was found so far was printed",
}


class EdgeGroup(TyperGroup):
    """The command group whose ``main`` lets nothing out but ``SystemExit`` with one of our codes."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own class is private
        """Parse what stands before the command."""
        lighten(self, ctx)
        return super().parse_args(ctx, args)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,  # noqa: ANN401 - as typer has it
    ) -> NoReturn:
        """Run and exit; ``standalone_mode`` has no effect, the edge is always in place."""
        code = _run(
            lambda: super(EdgeGroup, self).main(
                args, prog_name, complete_var, standalone_mode=False, windows_expand_args=windows_expand_args, **extra
            )
        )
        sys.exit(_flushed(code))


def _run(command: Callable[[], Any]) -> int:
    try:
        return _number(command())
    except McpdiagError as error:
        return _expected(error)
    except typer.TyperException as error:
        return _usage(error)
    except SystemExit as leaving:
        # typer ends with 1 where the reader of stdout has gone away (mcpdiag … | head); that is no failure.
        return ExitCode.OK if isinstance(leaving.__context__, BrokenPipeError) else _number(leaving.code)
    except (KeyboardInterrupt, typer.Abort):
        return ExitCode.INTERRUPTED
    except BaseExceptionGroup as group:
        return _grouped(group)
    except Exception as error:  # noqa: BLE001 - the last resort: a crash must not look like "gate failed" (exit 1)
        return _crash(error)


def _number(code: str | int | None) -> int:
    return code if isinstance(code, int) else ExitCode.OK


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _grouped(group: BaseExceptionGroup[BaseException]) -> int:
    """What a task group raises: the first of our errors in it is the message."""
    leaves = list(_leaves(group))
    if any(isinstance(leaf, KeyboardInterrupt) for leaf in leaves):
        return ExitCode.INTERRUPTED
    ours = next((leaf for leaf in leaves if isinstance(leaf, McpdiagError)), None)
    return _crash(group) if ours is None else _expected(ours)


def tell(message: str, hint: str = "") -> None:
    """Print an error and its hint to stderr."""
    _line("error:", "red", message)
    if hint:
        _line("hint:", "cyan", hint)


def note(message: str) -> None:
    """Print what is worth knowing beside the result to stderr."""
    _line("note:", "yellow", message)


def _line(label: str, colour: str, message: str) -> None:
    # A file name or a pattern may hold what a terminal would act on.
    from woolly_mcpdiag.report.escape import printable

    sys.stderr.write(f"{paint(label, colour)} {printable(message)}\n")


def _expected(error: McpdiagError) -> int:
    tell(error.message, error.hint)
    return error.exit_code


def _usage(error: typer.TyperException) -> int:
    """What the parser of the command line says, in our form; called without arguments it is the help."""
    context: typer.Context | None = getattr(error, "ctx", None)
    if context is not None and error.message == context.get_help():
        typer.echo(error.message, err=True)
        return ExitCode.USAGE
    message = error.format_message().replace("Value error, ", "").rstrip(".")
    tell(message[:1].lower() + message[1:], f"{context.command_path} --help" if context else "mcpdiag --help")
    return ExitCode.USAGE


def _crash(error: BaseException) -> int:
    import platform
    import traceback

    traceback.print_exception(error)
    tell(
        f"mcpdiag itself failed: {type(error).__name__}: {error}",
        f"report it with the lines above (mcpdiag {__version__}, Python {platform.python_version()})",
    )
    return ExitCode.BUG


def _flushed(code: int) -> int:
    """Flush stdout here: at interpreter exit a closed pipe would cost the exit code."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        give_up_stdout()
    return code
