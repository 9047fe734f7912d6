from pathlib import Path

import pytest

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.report import formats, frames
from woolly_mcpdiag.report.model import Report

NAMES = ["text", "json", "md", "html", "junit", "github", "trace", "prom", "csv", "parquet"]
TEXTS = NAMES[:7]


def test_the_formats_are_those_of_the_command_line():
    assert list(formats.FORMATS) == NAMES
    assert [row.name for row in formats.FORMATS.values() if row.binary] == ["parquet"]


@pytest.mark.parametrize("name", TEXTS)
def test_every_text_format_renders_every_report_as_utf8(name: str, report: Report):
    text = formats.render(name, report)
    assert text.encode().endswith(b"\n")
    assert "\x1b" not in text
    assert "\x00" not in text


@pytest.mark.parametrize("name", TEXTS)
def test_rendering_twice_gives_the_same_text_and_leaves_the_report_alone(name: str, samples):
    report = samples.mixed()
    assert formats.render(name, report) == formats.render(name, report)
    assert report == samples.mixed()


def test_an_unknown_format_names_the_nearest():
    with pytest.raises(UsageError, match="--format junti") as caught:
        formats.find("junti")
    assert "did you mean junit?" in caught.value.hint


def test_a_table_is_not_a_report(samples):
    with pytest.raises(UsageError, match="holds a table"):
        formats.render("csv", samples.seed())


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("out.html", "html"),
        ("OUT.JSON", "json"),
        ("a.trace.json", "trace"),
        ("r.xml", "junit"),
        ("r.txt", "text"),
        ("r.github.txt", "github"),
        ("s.parquet", "parquet"),
        ("noext", None),
    ],
)
def test_a_file_name_tells_its_format(file: str, name: str | None):
    found = formats.of_file(Path("reports") / file)
    assert (found.name if found else None) == name


def test_a_binary_table_needs_a_file(tmp_path: Path):
    frame = frames.sessions_frame([])
    with pytest.raises(UsageError, match="needs a file") as caught:
        formats.render_table("parquet", frame, None)
    assert "-o sessions.parquet" in caught.value.hint
    assert formats.render_table("parquet", frame, tmp_path / "s.parquet") == ""
    assert (tmp_path / "s.parquet").read_bytes().startswith(b"PAR1")
    assert formats.render_table("csv", frame, None).startswith("session,key,agent")


def test_a_look_reaches_the_text(samples):
    assert "\x1b[" in formats.render("text", samples.seed(), formats.Look(width=80, colour=True))
