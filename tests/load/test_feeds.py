import pytest

from woolly_mcpdiag.core.errors import InputError, UsageError
from woolly_mcpdiag.load.feeds import check_columns, read_feed


def written(tmp_path, data):
    path = tmp_path / "feed.csv"
    path.write_bytes(data)
    return path


def test_rows_have_the_names_of_the_header(tmp_path):
    rows = read_feed(written(tmp_path, b'\xef\xbb\xbfuser, q\r\nann,"a, ""b"""\r\n\r\nbob,c\r\n'))
    assert rows == ({"user": "ann", "q": 'a, "b"'}, {"user": "bob", "q": "c"})


@pytest.mark.parametrize(
    ("data", "fact"),
    [
        (b"", "has no rows"),
        (b"a,b\n", "no rows but its header"),
        (b"a,b\n1\n", "row 2 has 1 cells, its header 2"),
        (b"a\n\xff\xfe\n", "no CSV in UTF-8"),
        (b'a\n"open\n', "no CSV in UTF-8"),
    ],
)
def test_what_is_no_feed_is_said(tmp_path, data, fact):
    with pytest.raises(InputError, match=fact):
        read_feed(written(tmp_path, data))


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_feed(tmp_path / "none.csv")


def test_an_unknown_column_is_wrong_usage_and_the_known_ones_are_named():
    with pytest.raises(UsageError) as caught:
        check_columns({"name"}, ({"user": "ann", "q": "c"},))
    assert "no column name" in caught.value.message
    assert caught.value.hint == "its columns are user, q"
    with pytest.raises(UsageError, match="no feed"):
        check_columns({"name"}, ())
