import json

from hypothesis import given
from hypothesis import strategies as st

from woolly_mcpdiag.load.templates import asked, columns, filled, filled_body, values


def test_places_are_filled_at_any_depth():
    given_ = values(7, worker=2, seed=3, row={"user": "ann"})
    assert filled({"q": "Test {i}", "deep": [{"w": "{worker}/{seed}", "{feed.user}": 1}]}, given_) == {
        "q": "Test 7",
        "deep": [{"w": "2/3", "ann": 1}],
    }


def test_other_braces_stay():
    text = 'if (a) {return {b: "{i}"}} {unknown} {feed.}'
    assert filled(text, values(1)) == 'if (a) {return {b: "1"}} {unknown} {feed.}'
    assert filled("{feed.absent}", values(1)) == "{feed.absent}"


def test_what_is_asked_for_is_told():
    assert asked(["{i}", {"a": "{feed.x y}"}]) == {"i", "feed.x y"}
    assert columns(["{i}", {"{feed.k}": "{feed.x y}"}]) == {"k", "x y"}


@given(st.text(max_size=30))
def test_a_json_body_stays_json_whatever_a_cell_holds(cell):
    body = filled_body('{"q": "a {feed.c} b"}', values(0, row={"c": cell}))
    assert json.loads(body) == {"q": f"a {cell} b"}


def test_a_body_that_is_no_json_is_filled_as_it_is():
    assert filled_body("q={feed.c}", values(0, row={"c": 'a"b'})) == 'q=a"b'
