import pytest

from woolly_mcpdiag.core.json_text import parse


@pytest.mark.parametrize("text", ['{"a": ["\\ud800", {"\\uD83D": "x"}]}', '"\\udfff"'])
def test_half_a_surrogate_pair_can_be_written_down(text: str):
    assert "?" in str(parse(text))
    str(parse(text)).encode()


def test_a_whole_pair_stays():
    assert parse('"\\ud83d\\ude00"') == "\U0001f600"


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "9" * 5_000])
def test_what_is_no_json_is_a_value_error(text: str):
    with pytest.raises(ValueError, match=r"\w"):
        parse(text)
