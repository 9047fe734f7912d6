import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from woolly_mcpdiag.logs.follow import Growth, Patient, Tail, follow


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def news(tail: Tail) -> list[tuple[bytes, bool]]:
    return [(growth.data, growth.restarted) for growth in tail.poll()]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    path.write_bytes(b"one\n")
    return path


def test_a_tail_starts_with_what_is_there_and_goes_on_with_what_is_appended(log: Path):
    tail = Tail(str(log))
    assert news(tail) == [(b"one\n", False)]
    assert news(tail) == []
    append(log, b"two\nthree\n")
    assert news(tail) == [(b"two\nthree\n", False)]


def test_half_a_line_waits_for_its_other_half(log: Path):
    tail = Tail(str(log))
    append(log, b"tw")
    assert news(tail) == [(b"one\n", False)]
    append(log, b"o\nth")
    assert news(tail) == [(b"two\n", False)]


def test_closing_hands_on_the_unfinished_last_line(log: Path):
    tail = Tail(str(log))
    append(log, b"unfinished")
    list(tail.poll())
    assert [growth.data for growth in tail.close()] == [b"unfinished\n"]
    assert list(tail.close()) == []


def test_rotation_reads_the_old_file_to_its_end_before_the_new_one(log: Path):
    tail = Tail(str(log))
    list(tail.poll())
    append(log, b"two\nlast words")
    log.rename(log.with_suffix(".1"))
    log.write_bytes(b"fresh\n")
    assert news(tail) == [(b"two\n", False), (b"last words\n", False), (b"fresh\n", True)]


def test_lines_written_to_the_old_file_after_its_renaming_are_not_lost(log: Path):
    tail = Tail(str(log))
    list(tail.poll())
    old = log.with_suffix(".1")
    log.rename(old)
    append(old, b"late\n")
    assert news(tail) == [(b"late\n", False)]
    log.touch()
    append(old, b"later\n")
    assert news(tail) == [(b"later\n", False)]
    append(log, b"fresh\n")
    assert news(tail) == [(b"fresh\n", True)]


def test_truncation_in_place_starts_again_at_the_first_line(log: Path):
    tail = Tail(str(log))
    append(log, b"two\n")
    list(tail.poll())
    os.truncate(log, 0)
    append(log, b"new\n")
    assert news(tail) == [(b"new\n", True)]


def test_a_truncated_file_that_grew_past_the_old_end_is_read_from_its_start(log: Path):
    tail = Tail(str(log))
    list(tail.poll())
    log.write_bytes(b"quite another beginning\nand more\n")
    assert news(tail) == [(b"quite another beginning\nand more\n", True)]


def test_a_file_that_is_missing_at_first_is_read_when_it_appears(tmp_path: Path):
    tail = Tail(str(tmp_path / "late.log"))
    assert news(tail) == []
    assert tail.missing
    (tmp_path / "late.log").write_bytes(b"here\n")
    assert news(tail) == [(b"here\n", False)]
    assert not tail.missing


def test_a_file_that_goes_away_and_comes_back_is_read_again(log: Path):
    tail = Tail(str(log))
    list(tail.poll())
    log.unlink()
    assert news(tail) == []
    log.write_bytes(b"back\n")
    assert news(tail) == [(b"back\n", True)]


def test_of_an_endless_line_only_a_bounded_part_is_kept(log: Path):
    tail = Tail(str(log), block=16, longest=32)
    append(log, b"x" * 1000)
    seen = b"".join(data for data, _ in news(tail))
    append(log, b"x" * 1000 + b"\nnext\n")
    seen += b"".join(data for data, _ in news(tail))
    assert seen.splitlines()[0] == b"one"
    assert 32 <= len(seen.splitlines()[1]) <= 48
    assert seen.splitlines()[2:] == [b"next"]
    assert tail.cut == 1


@given(chunks=st.lists(st.binary(max_size=40).map(lambda data: data.replace(b"\0", b"\n")), max_size=8))
def test_no_byte_is_lost_or_doubled_however_the_writer_cuts_its_writes(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[bytes]
):
    path = tmp_path_factory.mktemp("tail") / "app.log"
    path.touch()
    tail = Tail(str(path), block=8)
    seen = b""
    for chunk in chunks:
        append(path, chunk)
        seen += b"".join(growth.data for growth in tail.poll())
    seen += b"".join(growth.data for growth in tail.close())
    whole = b"".join(chunks)
    assert seen == whole + (b"\n" if whole and not whole.endswith(b"\n") else b"")


def test_a_pipe_is_read_as_it_comes_and_ends_with_its_writer(tmp_path: Path):
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    tail = Tail(str(fifo))
    assert news(tail) == []
    writer = os.open(fifo, os.O_WRONLY)
    assert news(tail) == []
    assert not tail.ended
    os.write(writer, b"one\ntw")
    assert news(tail) == [(b"one\n", False)]
    os.close(writer)
    assert news(tail) == [(b"tw\n", False)]
    assert tail.ended
    assert not tail.missing


class Script:
    """Stands in for waiting: each pause plays the next step of what happens to the files."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        self.steps = iter(steps)
        self.over = False
        self.descriptors: list[Sequence[int]] = []

    def __call__(self, descriptors: Sequence[int], seconds: float) -> None:
        self.descriptors.append(list(descriptors))
        step = next(self.steps, None)
        if step is None:
            self.over = True
        else:
            step()

    def stopped(self) -> bool:
        return self.over


def lines(growths: Iterator[Growth | None]) -> list[tuple[str, bytes]]:
    return [(Path(growth.source).name, growth.data) for growth in growths if growth is not None]


def test_following_several_files_keeps_them_apart_and_ends_when_told_to(log: Path, tmp_path: Path):
    other = tmp_path / "other.log"
    script = Script(lambda: other.write_bytes(b"b1\n"), lambda: append(log, b"two\nhalf"))
    seen = lines(follow([str(log), str(other)], stopped=script.stopped, wait=script))
    assert seen == [("app.log", b"one\n"), ("other.log", b"b1\n"), ("app.log", b"two\n"), ("app.log", b"half\n")]


def test_following_only_pipes_ends_with_their_writers(tmp_path: Path):
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    ends: list[int] = []

    def write() -> None:
        ends.append(os.open(fifo, os.O_WRONLY))
        os.write(ends[0], b"only\n")

    script = Script(write, lambda: os.close(ends[0]))
    assert lines(follow([str(fifo)], stopped=lambda: False, wait=script)) == [("pipe", b"only\n")]
    assert all(len(descriptors) == 1 for descriptors in script.descriptors)


def test_each_look_at_all_sources_ends_with_none(log: Path):
    script = Script()
    growths = list(follow([str(log)], stopped=script.stopped, wait=script))
    assert [growth is None for growth in growths] == [False, True]


def test_a_stop_between_two_blocks_is_obeyed_at_once(tmp_path: Path):
    log = tmp_path / "big.log"
    log.write_bytes(b"line\n" * 1_000_000)
    asked: list[bool] = []
    growths = follow([str(log)], stopped=lambda: bool(asked))
    first = next(growths)
    asked.append(True)
    assert sum(len(growth.data) for growth in (first, *growths) if growth) < 2_000_000


def test_a_patient_pipe_waits_for_its_writer_and_ends_with_it(tmp_path: Path):
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    with Patient(fifo, lambda: False) as pipe:
        writer = os.open(fifo, os.O_WRONLY)
        os.write(writer, b"one\n")
        assert pipe.read(100) == b"one\n"
        os.close(writer)
        assert pipe.read(100) == b""


def test_a_patient_pipe_can_be_given_up(tmp_path: Path):
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    with Patient(fifo, lambda: True) as pipe:
        writer = os.open(fifo, os.O_WRONLY)
        os.write(writer, b"one\n")
        assert pipe.read(100) == b""
        os.close(writer)
