import re

import anyio
import pytest
import typer
from typer.testing import CliRunner, Result

from woolly_mcpdiag.cli.errors import EXIT_CODES, EdgeGroup
from woolly_mcpdiag.core.errors import ExitCode, InputError, TargetAwayError, UsageError


def outcome(error: BaseException | None, *arguments: str) -> Result:
    """Run a command that ends with this error."""
    app = typer.Typer(cls=EdgeGroup, rich_markup_mode=None)

    @app.callback()
    def options() -> None:
        """Makes the one command a command of a group."""

    @app.command()
    def work(number: int = 1) -> None:
        typer.echo(f"worked {number}")
        if error is not None:
            raise error

    return CliRunner().invoke(app, list(arguments) or ["work"])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (UsageError("--rate: is -1"), 2),
        (InputError("app.log: is empty"), 2),
        (TargetAwayError("http://localhost: connection refused"), 4),
        (typer.Exit(1), 1),
        (typer.Exit(ExitCode.INCONCLUSIVE), 3),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("by zero"), 70),
        (SystemExit(2), 2),
        (SystemExit(), 0),
    ],
)
def test_every_end_has_its_exit_code(error: BaseException | None, code: int):
    result = outcome(error)
    assert result.exit_code == code
    assert result.stdout == "worked 1\n"


def test_an_expected_error_is_a_message_and_a_hint_on_stderr():
    result = outcome(InputError("app.log: is empty", hint="name another log"))
    assert result.stderr == "error: app.log: is empty\nhint: name another log\n"


def test_our_error_inside_nested_task_groups_is_the_message():
    group = BaseExceptionGroup("outer", [ValueError("x"), ExceptionGroup("inner", [TargetAwayError("it is away")])])
    result = outcome(group)
    assert result.exit_code == 4
    assert result.stderr == "error: it is away\n"


def test_an_error_out_of_a_real_task_group_keeps_its_exit_code():
    away = TargetAwayError("it is away")

    async def fail() -> None:
        raise away

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(fail)

    with pytest.raises(ExceptionGroup) as caught:
        anyio.run(main)
    assert outcome(caught.value).exit_code == 4


def test_ctrl_c_inside_a_task_group_is_an_interruption():
    assert outcome(BaseExceptionGroup("tasks", [ValueError("x"), KeyboardInterrupt()])).exit_code == 130


def test_a_group_without_an_error_of_ours_is_a_crash():
    result = outcome(ExceptionGroup("tasks", [ValueError("x")]))
    assert result.exit_code == 70
    assert "mcpdiag itself failed" in result.stderr


def test_a_crash_shows_its_traceback_and_where_to_go():
    result = outcome(ZeroDivisionError("by zero"))
    assert "Traceback" in result.stderr
    assert re.search(r"hint: report it .* Python \d", result.stderr)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nope",), "no such command 'nope'"),
        (("wrk",), "Did you mean 'work'?"),
        (("work", "--nmber", "1"), "no such option: --nmber"),
        (("work", "--number", "x"), "invalid value for '--number'"),
        (("work", "extra"), "unexpected extra argument"),
    ],
)
def test_wrong_usage_is_said_in_our_form(arguments: tuple[str, ...], said: str):
    result = outcome(None, *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert said in result.stderr
    assert "--help" in result.stderr.splitlines()[-1]
    assert result.stdout == ""


def test_a_message_cannot_act_on_the_terminal():
    assert "\x1b" not in outcome(InputError("a\x1b]0;owned\x07b: is empty")).stderr


def test_every_exit_code_is_explained():
    assert set(EXIT_CODES) == set(ExitCode)
