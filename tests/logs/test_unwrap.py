import io
import logging
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.logging import RichHandler

from woolly_mcpdiag.logs.reader import Reader
from woolly_mcpdiag.logs.record import Record

SESSION = "b89426f8e0a34ff0a7d1c814be08375f"
POST = f'HTTP Request: POST http://127.0.0.1:8360/messages/?session_id={SESSION} "HTTP/1.1 202 Accepted"'


def read(text: str) -> list[Record]:
    reader = Reader(day=date(2026, 11, 22))
    out = [record for n, line in enumerate(text.splitlines(), 1) for record in reader.read(line, n)]
    return out + reader.flush()


def printed(*messages: str, width: int = 80, **options) -> str:
    """Return what rich's own handler prints for these messages."""
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    handler = RichHandler(console=console, **options)
    for message in messages:
        record = logging.LogRecord("a", logging.INFO, "/app/streamable_http_manager.py", 224, message, None, None)
        record.created = 1795358709.0
        handler.handle(record)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [72, 80, 100, 120, 200])
@pytest.mark.parametrize(
    "message", [POST, f"Created new transport with session ID: {SESSION}", "short", "x " * 90 + "y"]
)
def test_a_wrapped_message_is_joined_at_any_width(message, width):
    text = printed(message, message, width=width)
    records = read(text)
    assert [r.message for r in records] == [message, message]
    assert sum(r.span for r in records) == len(text.splitlines())
    assert {r.format for r in records} == {"rich"}
    assert {r.level for r in records} == {"INFO"}


@given(st.lists(st.text(alphabet="abcdef0123456789:/._-", min_size=1, max_size=60), min_size=1, max_size=12))
def test_no_character_is_lost_in_unwrapping(words):
    message = " ".join(words)
    joined = " ".join(r.message for r in read(printed(message, markup=False)))
    assert joined.replace(" ", "") == message.replace(" ", "")


def test_a_blank_time_is_that_of_the_line_before():
    first, second, third = read(
        "[11/22/26 14:45:22] INFO     agent-0 starting                           wl.py:94\n"
        "                    INFO     agent-1 starting                           wl.py:94\n"
        "                    ERROR    agent-2 failed                             wl.py:94\n"
    )
    assert first.time == second.time == third.time == 1795358722_000_000
    assert (third.level, third.message, third.fresh) == ("ERROR", "agent-2 failed", True)


def test_other_lines_end_a_record():
    records = read(
        "[11/22/26 14:35:13] INFO     Created new          streamable_http_manager.py:224\n"
        "                             transport with                                     \n"
        'INFO:     127.0.0.1:44852 - "POST /mcp/ HTTP/1.1" 200 OK\n'
        "                    INFO     Terminating session           streamable_http.py:10\n"
    )
    assert [(r.line, r.span, r.format, r.message) for r in records] == [
        (1, 2, "rich", "Created new transport with"),
        (3, 1, "uvicorn", '127.0.0.1:44852 - "POST /mcp/ HTTP/1.1" 200 OK'),
        (4, 1, "rich", "Terminating session"),
    ]


def test_lines_of_a_message_are_kept_apart():
    records = read(printed("failed\nTraceback (most recent call last):\n  File x\nValueError: y"))
    assert [(r.message, r.fresh) for r in records] == [
        ("failed", True),
        ("Traceback (most recent call last):", False),
        ("  File x", False),
        ("ValueError: y", False),
    ]


def test_a_time_of_day_column_is_known_too():
    records = read(printed("one " * 30, "two", log_time_format="[%X]"))
    assert [r.message for r in records] == [("one " * 30).strip(), "two"]


def test_a_handler_without_path_is_unwrapped():
    records = read(printed(POST, show_path=False))
    assert [r.message for r in records] == [POST]


def test_rich_inside_compose_keeps_its_service():
    text = "".join(f"mcp-1  | {line}\n" for line in printed(POST).splitlines())
    (record,) = read(text)
    assert (record.message, record.service, record.framing) == (POST, "mcp-1", "compose")


def test_a_time_column_of_another_layout_is_known_by_the_path():
    records = read(printed(POST, "two", log_time_format="[%Y-%m-%d %H:%M:%S]"))
    assert [(r.format, r.message) for r in records] == [("rich", POST), ("rich", "two")]


@pytest.mark.parametrize("omit", [True, False])
@pytest.mark.parametrize("width", [80, 100, 160])
@pytest.mark.parametrize(
    "layout",
    [
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S",
        "%H:%M:%S",
        "[%d.%m.%Y %H:%M:%S]",
        "%m/%d/%Y %I:%M:%S %p",
        "%d %b %Y %H:%M:%S",
        "%b %d %H:%M:%S",
        "[%d/%m %H:%M]",
        "(%H:%M)",
    ],
)
def test_no_request_is_lost_in_any_time_format(layout, width, omit):
    records = read(printed(POST, "two", POST, width=width, log_time_format=layout, omit_repeated_times=omit))
    assert [(r.format, r.level, r.message) for r in records] == [
        ("rich", "INFO", POST),
        ("rich", "INFO", "two"),
        ("rich", "INFO", POST),
    ]
    assert {r.time for r in records} == {records[0].time}


def test_times_without_brackets_are_read():
    first, _ = read(printed(POST, "two", log_time_format="%Y-%m-%d %H:%M:%S"))
    assert datetime.fromtimestamp(first.time / 1e6, UTC).strftime("%M:%S") == "45:09"


def test_a_handler_without_times_is_unwrapped():
    assert [r.message for r in read(printed(POST, "two", show_time=False))] == [POST, "two"]


def test_a_handler_without_path_and_brackets_is_unwrapped():
    records = read(printed(POST, "two", show_path=False, log_time_format="%Y-%m-%d %H:%M:%S"))
    assert [r.message for r in records] == [POST, "two"]
