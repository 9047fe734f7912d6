import io
from dataclasses import dataclass

from woolly_mcpdiag.cli.progress import ProgressBar


@dataclass
class News:
    done: int
    total: int | None
    source: str = "/var/log/app.log"
    lines: int = 1200
    failures: int = 41


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def play(terminal, *moments: tuple[float, News], quiet: bool = False) -> str:
    clock = Clock()
    bar = ProgressBar(terminal.stream, quiet=quiet, clock=clock)
    for now, news in moments:
        clock.now = now
        bar(news)
    bar.close()
    terminal.stream.write("end")
    return terminal.shown()


def test_work_under_a_second_shows_no_bar(terminal):
    assert play(terminal, (0.1, News(1, 100)), (0.9, News(99, 100))) == "end"


def test_longer_work_shows_source_share_and_failures(terminal):
    shown = play(terminal, (0.5, News(1, 10)), (1.5, News(3, 10)), (2.5, News(6, 10)))
    for part in ("app.log", " 60%", "41 failures"):
        assert part in shown
    assert "/var" not in shown


def test_input_of_unknown_length_has_a_bar_too(terminal):
    assert "41 failures" in play(terminal, (2.0, News(30_000_000, None)))


def test_quiet_shows_no_bar(terminal):
    assert play(terminal, (5.0, News(30, 100)), quiet=True) == "end"


def test_a_dumb_terminal_gets_no_colour(terminal, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b[3" not in play(terminal, (5.0, News(30, 100)))


def test_a_file_gets_no_bar():
    stream = io.StringIO()
    bar = ProgressBar(stream, clock=iter([0.0, 5.0, 9.0]).__next__)
    bar(News(30, 100))
    bar.close()
    assert stream.getvalue() == ""
