"""Lines that a container runtime cut are joined as the line engine joins them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from woolly_mcpdiag.logs.scan import parallel

CRI = "2026-03-01T10:00:{:02}.123456789Z stderr {} {}"
CALL = 'INFO:httpx:HTTP Request: POST http://h:1/mcp "HTTP/1.1 202 Accepted"'


def test_the_last_piece_of_a_cut_line_is_no_record_of_its_own(agree: Callable[..., Any]) -> None:
    lines = [CRI.format(n, "F", CALL) for n in range(50)]
    lines[20:20] = [CRI.format(20, "P", "INFO:app:a long "), CRI.format(20, "P", "and longer ")]
    rows, *_ = agree("\n".join([*lines, ""]).encode(), 1 << 20, 1 << 10)
    assert [row[0] for row in rows[19:22]] == [20, 21, 24]


def test_pieces_of_one_container_are_not_joined_with_lines_of_another(agree: Callable[..., Any]) -> None:
    lines = [f"web-{n % 2}  | {CRI.format(n, 'F', CALL)}" for n in range(40)]
    lines.insert(20, f"web-1  | {CRI.format(20, 'P', 'INFO:app:a long ')}")
    rows, *_ = agree("\n".join([*lines, ""]).encode())
    assert [row[0] for row in rows[19:23]] == [20, 21, 22, 24]


def test_the_last_piece_of_an_entry_that_docker_cut_is_no_record_of_its_own(agree: Callable[..., Any]) -> None:
    entry = '{{"log":"{}","stream":"stderr","time":"2026-03-01T10:00:{:02}.123456789Z"}}'
    call = CALL.replace('"', '\\"') + "\\n"
    lines = [entry.format(call, n) for n in range(30)]
    lines.insert(10, entry.format("INFO:app:" + "x" * (16 << 10), 9))
    rows, *_ = agree("\n".join([*lines, ""]).encode())
    assert [row[0] for row in rows[9:12]] == [10, 11, 13]


def test_no_span_begins_with_the_last_piece_of_a_cut_line(tmp_path: Path) -> None:
    cut = [CRI.format(1, "P", "INFO:app:a"), CRI.format(1, "F", CALL)]
    text = "".join(f"{line}\n" for line in cut * 50).encode()
    path = tmp_path / "pod.log"
    path.write_bytes(text)
    for size in (900, 1000, 1100):
        starts = [span.start for span in parallel.spans(str(path), size)]
        assert len(starts) > 5
        assert all(b" stderr P " in text[start:].partition(b"\n")[0] for start in starts)
