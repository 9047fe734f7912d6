import json
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from woolly_mcpdiag.cli.explain import explain
from woolly_mcpdiag.core.causes import FAMILIES, catalogue
from woolly_mcpdiag.core.errors import UsageError


def run(*arguments: str, columns: int | None = None, monkeypatch: pytest.MonkeyPatch | None = None):
    if monkeypatch is not None and columns is not None:
        monkeypatch.setattr("woolly_mcpdiag.cli.screen.columns", lambda _: columns)
    app = typer.Typer()
    app.command()(explain)
    return CliRunner().invoke(app, list(arguments), color=True)


def flat(text: str) -> str:
    return " ".join(text.split())


def test_without_an_argument_every_cause_stands_in_a_list_by_family():
    lines = run().stdout.splitlines()
    for cause in catalogue().values():
        assert sum(line.startswith(f"  {cause.name} ") for line in lines) == 1, cause.name
    assert flat(run().stdout).count("(benign)") == sum(cause.benign for cause in catalogue().values())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_lists_its_causes_and_no_others(family):
    shown = run(family).stdout
    assert all((f"  {cause.name} " in shown) == (cause.family == family) for cause in catalogue().values())


@pytest.mark.parametrize("name", ["session.harvested-from-400", "net.dns", "transport.era-probe"])
def test_a_cause_is_printed_whole(name):
    cause, shown = catalogue()[name], flat(run(name).stdout)
    for text in (cause.name, cause.title, cause.what, cause.why, cause.sure, cause.client, *cause.references):
        assert text in shown
    assert ("benign" in shown) == cause.benign


def test_a_cause_that_needs_nothing_says_so():
    assert "Nothing: this is harmless." in run("transport.get-stream-after-close").stdout


@pytest.mark.parametrize("arguments", [(), ("session.harvested-from-400",), ("400", "No valid session ID provided")])
def test_80_columns_are_enough_and_no_line_ends_in_spaces(arguments, monkeypatch):
    lines = run(*arguments, columns=80, monkeypatch=monkeypatch).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert all(line == line.rstrip() for line in lines)


def test_nothing_is_coloured_where_no_terminal_looks():
    assert "\x1b" not in run("session.lost").stdout + run().stdout + run("400").stdout


def test_on_a_terminal_only_headings_and_labels_are_bold(monkeypatch):
    monkeypatch.setattr("woolly_mcpdiag.cli.screen.colour_allowed", lambda _: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    shown = run("session.stream-conflict").stdout
    assert "\x1b[1mClient: \x1b[0mWait 10 ms" in shown
    assert "\x1b[1;31merror\x1b[0m" in shown


def test_a_status_and_a_body_rank_causes_with_reasons_and_the_next_command():
    shown = run("400", "No valid session ID provided").stdout
    assert "1. session.lost  strong fit" in shown
    assert shown.index("1. session.lost") < shown.index("2. session.no-affinity")
    assert "mcp 1.25 and earlier" in flat(shown)
    assert shown.endswith("What to do: mcpdiag explain session.lost\n")


def test_a_body_needs_no_quotes():
    assert run("400", "Missing", "session", "ID").stdout == run("400", "Missing session ID").stdout


def test_a_size_stands_for_the_body():
    assert "105 bytes is the size of" in run("400", "105").stdout


def test_the_text_of_an_error_needs_no_status():
    assert "1. client.pool-exhausted" in run("PoolTimeout").stdout
    assert "1. net.tls-mismatch" in run("ConnectError:", "[SSL: WRONG_VERSION_NUMBER] wrong version number").stdout


def test_a_status_that_no_cause_shows_is_said_so():
    result = run("418")
    assert (result.exit_code, result.stdout) == (
        0,
        "418: no cause in the catalogue shows like this. Every cause: mcpdiag explain\n",
    )


@pytest.mark.parametrize("number", ["99", "600", "4000", "0"])
def test_a_number_that_is_no_status_is_a_usage_error(number):
    with pytest.raises(UsageError, match=f"{number}: not an HTTP status"):
        raise run(number).exception


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("session.harvest", "session.harvested-from-400"),
        ("transport.missmatch", "transport.mismatch"),
        ("no-affinity", "session.no-affinity"),
        ("pool-exhausted", "client.pool-exhausted"),
    ],
)
def test_an_unknown_cause_is_a_usage_error_that_names_the_nearest(word, meant):
    error = run(word).exception
    assert isinstance(error, UsageError)
    assert error.message.startswith(f"{word}: ")
    assert error.hint.startswith(f"did you mean {meant}")


def test_a_word_that_resembles_nothing_points_to_the_list():
    error = run("zzzzzz").exception
    assert isinstance(error, UsageError)
    assert error.hint == "list every cause: mcpdiag explain"


def test_json_tells_all_fields_of_a_cause():
    document = json.loads(run("session.lost", "--format", "json").stdout)
    assert document["schema"] == "mcpdiag.explain/1"
    [row] = document["causes"]
    cause = catalogue()["session.lost"]
    assert row == {
        **{name: getattr(cause, name) for name in ("name", "family", "title", "severity", "benign", "what", "why")},
        **{name: getattr(cause, name) for name in ("sure", "client", "server", "deployment")},
        **{name: list(getattr(cause, name)) for name in ("references", "statuses", "bodies")},
    }


def test_json_lists_and_ranks():
    assert [row["name"] for row in json.loads(run("-f", "json").stdout)["causes"]] == list(catalogue())
    document = json.loads(run("400", "Missing session ID", "-f", "json").stdout)
    assert (document["status"], document["text"]) == (400, "Missing session ID")
    scores = [row["score"] for row in document["causes"]]
    assert scores == sorted(scores, reverse=True)
    assert json.loads(run("418", "-f", "json").stdout)["causes"] == []


def test_markdown_is_the_entry_of_the_page_a_list_or_a_ranking():
    assert run("net.dns", "-f", "md").stdout.startswith("# net.dns\n\n**The host name cannot be resolved**\n")
    assert run("-f", "md").stdout.count("\n- `") == len(catalogue()) - 1
    assert "1. `transport.mismatch` (strong fit): " in run("400", "Missing session ID", "-f", "md").stdout


def test_a_text_cannot_act_on_the_terminal_or_as_markup():
    text = "PoolTimeout \x1b[31m[bold]<b>|x|"
    assert "\x1b" not in run(text).stdout
    assert "[bold]" in run(text).stdout
    assert "<b>" not in run(text, "-f", "md").stdout.replace("\\<b\\>", "")


def test_an_unknown_format_is_refused():
    assert run("--format", "xml").exit_code == 2


def test_explaining_loads_neither_numpy_nor_pandas_nor_an_http_library(environment):
    code = (
        "import sys, typer; from woolly_mcpdiag.cli.explain import explain\n"
        "assert not {'rich.console', 'woolly_mcpdiag.core.explain'} & set(sys.modules)\n"
        "explain('400', ['Missing session ID'], 'text')\n"
        "print(sorted({'numpy', 'pandas', 'httpx', 'httpx2', 'mcp'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
