import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from woolly_mcpdiag.report import plain

STATUS = "x" * 60 + ' "GET /mcp HTTP/1.1" 400 Bad Request ' + "y" * 200


@settings(deadline=None)
@given(st.text(max_size=200), st.integers(12, 60))
def test_wrapped_lines_fit_and_lose_no_word(text: str, width: int):
    lines = plain.wrap(text, width)
    assert all(plain.cells(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(plain.printable(text).replace("\u00a0", " ").split())


@settings(deadline=None)
@given(st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=200), st.integers(2, 90))
def test_a_cut_line_fits(text: str, width: int):
    assert plain.cells(plain.cut(text, width)) <= width


@pytest.mark.parametrize("width", [60, 78, 100])
def test_a_cut_line_keeps_its_status(width: int):
    shown = plain.cut(STATUS, width)
    assert 'HTTP/1.1" 400' in shown
    assert shown.startswith("x")
    assert shown.endswith("y")


def test_a_cut_line_keeps_its_exception():
    assert "ReadTimeout" in plain.cut("a" * 90 + " httpx.ReadTimeout: " + "b" * 300, 70)


def test_a_figure_stays_with_its_unit():
    assert plain.wrap("it took about 12 ms here", 16) == ["it took about", "12 ms here"]


def test_wide_characters_take_two_cells():
    assert plain.cells("日本e\u0301") == 5
    assert plain.pad("日本語", 4) == "日… "
    assert plain.take("日本語", 3, end=True) == "語"


def test_ascii_keeps_the_width_of_our_marks_and_escapes_the_rest():
    marks = "✗✓█·○◇≈┤│▁▂▃▄▅▆▇…–×"
    assert len(plain.to_ascii(marks)) == len(marks)
    assert plain.to_ascii(marks).isascii()
    assert plain.to_ascii("日") == "\\u65e5"


def test_no_line_begins_like_a_workflow_command():
    assert plain.guarded((("  ", ""), ("::error::x", "bad"))) == (("  ", ""), ("∷error::x", "bad"))
    assert plain.guarded((("a ::b", ""),)) == (("a ::b", ""),)
    assert plain.to_ascii("∷") == ": :"
