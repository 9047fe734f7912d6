import xml.etree.ElementTree as ET

import pytest

from woolly_mcpdiag.report import svg


@pytest.mark.parametrize(("value", "shown"), [(1.0, "1"), (1.25, "1.2"), (0.0, "0"), (-3.96, "-4"), (10.0, "10")])
def test_coordinates_are_short(value: float, shown: str):
    assert svg.number(value) == shown


@pytest.mark.parametrize(("value", "top"), [(0, 1), (1, 1), (3, 5), (11, 20), (51, 100), (100, 100), (101, 200)])
def test_an_axis_ends_at_a_round_figure(value: float, top: float):
    assert svg.ceiling(value) == top


def test_parts_make_one_readable_picture():
    parts = [svg.rect(0, 0, 5, 5, kind="a", tip="<&>"), svg.path("M0 0", kind="b"), svg.text(1, 2, "]]>", anchor="end")]
    root = ET.XML(svg.frame(parts, width=10, height=5.5, label='a "b"', kind="x"))
    assert root.get("aria-label") == 'a "b"'
    assert root.get("viewBox") == "0 0 10 5.5"
    assert root[0][0].text == "<&>"
    assert root[2].text == "]]>"
