import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from woolly_mcpdiag.load.arguments import NoExampleError, made_up

WORDS = (
    *("type", "properties", "required", "items", "prefixItems", "minItems", "uniqueItems", "minimum", "multipleOf"),
    *("exclusiveMaximum", "maxLength", "pattern", "format", "enum", "const", "default", "anyOf", "oneOf", "allOf"),
    *("$ref", "x"),
)
LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**20),
    st.floats(),
    st.sampled_from(("object", "array", "string", "integer", "null", "#", "#/properties/x", "(a+)+$", "[")),
)
VALUE = st.recursive(
    LEAF, lambda part: st.lists(part, max_size=3) | st.dictionaries(st.sampled_from(WORDS), part, max_size=4)
)
SCHEMA = st.dictionaries(st.sampled_from(WORDS), VALUE, max_size=5)


def of(part, **more):
    return made_up({"type": "object", "properties": {"x": part}, "required": ["x"], **more})["x"]


def test_only_what_is_required_is_made_up():
    schema = {"properties": {"a": {"type": "string"}, "b": {"type": "integer"}}, "required": ["a"]}
    assert made_up(schema) == {"a": "test"}
    assert made_up({"type": "object"}) == {}
    assert made_up({}) == {}


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ({"type": "string", "const": "c", "default": "d"}, "c"),
        ({"type": "string", "default": "d", "enum": ["e"]}, "d"),
        ({"type": "string", "examples": ["f"], "enum": ["e"]}, "f"),
        ({"enum": ["e", "g"]}, "e"),
        ({"type": "string", "minLength": 10}, "testtesttest"),
        ({"type": "string", "maxLength": 2}, "te"),
        ({"type": "string", "format": "email"}, "test@example.com"),
        ({"type": "string", "format": "uuid"}, "00000000-0000-4000-8000-000000000000"),
        ({"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"}, "2026-01-31"),
        ({"type": "string", "pattern": "^[a-z]+$", "minLength": 8}, "aaaaaaaa"),
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": "integer", "exclusiveMinimum": 3}, 4),
        ({"type": "integer", "maximum": -2}, -2),
        ({"type": "integer", "multipleOf": 7, "minimum": 10}, 14),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 0.5}, 0.25),
        ({"type": "boolean"}, False),
        ({"type": "null"}, None),
        ({"type": ["null", "string"]}, "test"),
        ({"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 5}]}, 5),
        ({"oneOf": [{"type": "string", "pattern": "^[A-Z]{9}$"}, {"type": "integer"}]}, 1),
        ({"allOf": [{"type": "object", "required": ["k"]}, {"properties": {"k": {"type": "integer"}}}]}, {"k": 1}),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 1]),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2, "uniqueItems": True}, [1, 2]),
        ({"type": "array", "prefixItems": [{"type": "string"}, {"type": "boolean"}]}, ["test", False]),
        ({"type": "object", "properties": {"y": {"type": "number"}}, "required": ["y"]}, {"y": 1}),
        ({}, "test"),
    ],
)
def test_a_value_fits_its_schema(part, value):
    assert of(part) == value


def test_references_are_followed():
    assert of({"$ref": "#/$defs/Kind"}, **{"$defs": {"Kind": {"enum": ["k"]}}}) == "k"


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ({"type": "string", "pattern": "^[A-Z]{3}-[0-9]{9}$"}, "no example of its pattern"),
        ({"type": "string", "pattern": "("}, "cannot be read"),
        ({"type": "integer", "minimum": 2, "maximum": 1}, "no number fits"),
        ({"type": "integer", "minimum": 0.2, "maximum": 0.8}, "no number fits"),
        ({"type": "string", "minLength": 10**9}, "characters are asked for"),
        ({"type": "array", "minItems": 10**9}, "items are asked for"),
        ({"$ref": "#/nowhere"}, "leads nowhere"),
        ({"$ref": "https://example.com/schema"}, "leads nowhere"),
        (False, "nothing is allowed"),
        ({"type": "color"}, "none of JSON's"),
    ],
)
def test_what_cannot_be_made_up_says_where_and_why(part, why):
    with pytest.raises(NoExampleError, match=why) as caught:
        of(part)
    assert str(caught.value).startswith("arguments.x:")


def test_a_schema_that_refers_to_itself_ends():
    names = [f"p{n}" for n in range(20)]
    loop = {"type": "object", "properties": {name: {"$ref": "#/$defs/O"} for name in names}, "required": names}
    with pytest.raises(NoExampleError, match="nested"):
        of({"$ref": "#/$defs/O"}, **{"$defs": {"O": loop}})


def test_a_pattern_that_takes_for_ever_does_not():
    with pytest.raises(NoExampleError, match="no example"):
        of({"type": "string", "pattern": "^(0+)+x$"})


@pytest.mark.parametrize(
    "schema",
    [{"allOf": None}, {"anyOf": [{"required": 5}], "type": "object"}, {"properties": {"x": {"minItems": 1e400}}}],
)
def test_a_schema_that_is_none_is_said_or_borne(schema):
    with suppress(NoExampleError):
        assert made_up(schema) == {}


@given(SCHEMA)
def test_no_schema_does_harm(schema):
    with suppress(NoExampleError):
        json.dumps(made_up(schema))
