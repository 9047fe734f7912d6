import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from woolly_mcpdiag.report import escape

any_text = st.text(st.characters(), max_size=60)


@settings(deadline=None)
@given(any_text)
def test_printable_text_is_one_line_that_no_terminal_acts_on(text: str):
    shown = escape.printable(text)
    shown.encode()
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or char in "\u2028\u2029\u202e\ufeff" for char in shown)


def test_colours_vanish_and_other_controls_become_visible():
    assert escape.printable("\x1b[1;32mINFO\x1b[0m a\tb\r\n\x1b]0;x\x07") == "INFO a  b\\r\\n\\x1b]0;x\\x07"


def test_a_byte_that_was_no_text_shows_its_value():
    assert escape.printable(b"caf\xe9".decode("utf-8", "surrogateescape")) == "caf\\xe9"
    assert escape.sound("caf\udce9 é\n") == "caf\\xe9 é\n"


@settings(deadline=None)
@given(any_text)
def test_xml_reads_back_as_the_printable_text(text: str):
    shown = escape.xml(text)
    element = ET.XML(f'<a b="{escape.xml(escape.printable(text))}">{shown}</a>')
    assert element.text == ("\n".join(map(escape.printable, text.split("\n"))) or None)
    assert element.get("b") == escape.printable(text)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


@settings(deadline=None)
@given(any_text)
def test_html_has_no_tag_and_reads_back(text: str):
    reader = _Reader()
    reader.feed(escape.html(text))
    reader.close()
    assert (reader.tags, reader.text) == ([], escape.printable(text))


def test_html_prose_shows_our_backticks_as_code_and_escapes_what_is_inside():
    assert escape.html_prose("use `<b>` in 5 ms") == "use <code>&lt;b&gt;</code> in 5\u00a0ms"
    assert "<code>" not in escape.html_prose("```")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", "a\\|b"),
        ("*x* _y_", "\\*x\\* \\_y\\_"),
        ("<img src=x>", "\\<img src=x\\>"),
        ("@team", "@\u2060team"),
        ("#12", "#\u206012"),
        ("GH-12", "GH\u2060-12"),
        ("[a](b)", "\\[a\\](b)"),
        ("a\nb", "a\\\\nb"),
        ("me@example.org", "me@\u2060example.org"),
    ],
)
def test_markdown_neither_marks_up_nor_mentions(text: str, shown: str):
    assert escape.markdown(text) == shown


def test_markdown_code_keeps_backticks_and_a_table_cell_its_columns():
    assert escape.markdown_code("a `b` |") == "``a `b` |``"
    assert escape.markdown_code("a|b", cell=True) == "`a\\|b`"
    assert escape.markdown_code("`") == "`` ` ``"
    assert escape.markdown_prose("call `f(*a)` *now*") == "call `f(*a)` \\*now\\*"


@settings(deadline=None)
@given(st.lists(st.text(st.sampled_from("`~ ab\n"), max_size=12), max_size=4))
def test_a_markdown_block_is_not_closed_by_what_it_holds(lines: list[str]):
    block = escape.markdown_block(lines)
    fence = block[-1]
    assert block[0] == f"{fence}text"
    assert not any(fence in line for line in block[1:-1])


def test_workflow_commands_cannot_be_ended_or_extended_by_their_text():
    assert escape.workflow("a%b\r\n::error::x") == "a%25b\\r%0A::error::x"
    assert escape.workflow_property("a:b,c\nd") == "a%3Ab%2Cc%0Ad"


def test_a_very_long_line_is_clipped_and_says_by_how_much():
    shown = escape.clipped("a" * 5_000 + "end")
    assert len(shown) < 2_100
    assert "3,003 characters" in shown
    assert shown.endswith("end")
    assert escape.clipped("short") == "short"
