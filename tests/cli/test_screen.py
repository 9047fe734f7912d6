import io

import pytest

from woolly_mcpdiag.cli.screen import colour_allowed, columns, is_terminal, put


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [("TERM", "xterm", True), ("TERM", "dumb", False), ("NO_COLOR", "1", False), ("NO_COLOR", "", True)],
)
def test_colour_needs_a_terminal_that_wants_it(terminal, monkeypatch, name: str, value: str, allowed: bool):
    monkeypatch.setenv(name, value)
    assert colour_allowed(terminal.stream) is allowed
    assert not colour_allowed(io.StringIO())


def test_width_is_the_terminals_or_100(terminal):
    assert columns(terminal.stream) == 90
    assert columns(io.StringIO()) == 100


@pytest.mark.parametrize(("told", "width"), [("70", 70), ("3", 40), ("0", 100), ("wide", 90), ("", 90)])
def test_columns_overrides_the_terminal_where_it_is_a_number(terminal, monkeypatch, told: str, width: int):
    monkeypatch.setenv("COLUMNS", told)
    assert columns(terminal.stream) == width


def test_a_closed_stream_is_no_terminal(terminal):
    terminal.stream.close()
    assert not is_terminal(terminal.stream)


def test_what_the_encoding_of_stdout_cannot_hold_becomes_an_escape(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii"))
    put("29 × 400\n")
    assert raw.getvalue() == b"29 \\xd7 400\n"
