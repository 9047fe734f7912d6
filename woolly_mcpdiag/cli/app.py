"""``mcpdiag`` itself: the group of its commands, and the options that stand before them."""

from typing import Annotated, Any

import typer

from woolly_mcpdiag import __version__
from woolly_mcpdiag.cli.commands import CONTEXT, TABLE, Commands, manual
from woolly_mcpdiag.cli.errors import EdgeGroup


class CommandGroup(EdgeGroup):
    """The group that lists its commands without loading them."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - as typer has it
        super().__init__(**options)
        self.commands = Commands()

    def list_commands(self, _: Any) -> list[str]:  # noqa: ANN401 - typer's own class is private
        """Return the names of the commands in the order of the help."""
        return list(TABLE)

    def format_commands(self, _: Any, formatter: Any) -> None:  # noqa: ANN401 - as above
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, row.short) for name, row in TABLE.items()])


app = typer.Typer(
    name="mcpdiag",
    cls=CommandGroup,
    help='From "there is a 400 in my log" to a named cause, its evidence and the fix.',
    epilog=manual(
        "mcpdiag analyze-logs app.log",
        "mcpdiag load http://localhost:8009/sse/ -c 5",
        "mcpdiag gate --mcp http://localhost:8009/sse/",
    ),
    # None: plain help. rich would make --help three times as slow.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings=CONTEXT,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mcpdiag {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options that stand before the command."""
