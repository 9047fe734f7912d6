import pytest

from woolly_mcpdiag.cli.quantities import rate, seconds, share, span, whole
from woolly_mcpdiag.core.errors import UsageError


@pytest.mark.parametrize(
    ("text", "value"),
    [("10s", 10.0), ("500ms", 0.5), ("1m30s", 90.0), ("1.5m", 90.0), ("2h", 7200.0), ("5", 5.0), ("5min", 300.0)],
)
def test_a_length_of_time_is_read(text, value):
    assert seconds(text, "-d") == value


@pytest.mark.parametrize("text", ["", "0", "-1", "x", "1x", "s", "nan", "inf", "1e9", "31d", "99999999"])
def test_what_is_no_length_of_time_is_said_with_its_option(text):
    with pytest.raises(UsageError, match=r"^-d"):
        seconds(text, "-d")


def test_no_time_is_allowed_where_it_means_something():
    assert seconds("0", "--warmup", zero=True) == 0.0


@pytest.mark.parametrize(
    ("text", "value"), [("10/s", 10.0), ("600/m", 10.0), ("10", 10.0), ("36000/h", 10.0), ("0.5/s", 0.5)]
)
def test_a_rate_is_read(text, value):
    assert rate(text, "--rate") == pytest.approx(value)


@pytest.mark.parametrize("text", ["0", "0/s", "-1", "10s", "x", "10/x", "", "1000001/s"])
def test_what_is_no_rate_is_said(text):
    with pytest.raises(UsageError, match=r"^--rate"):
        rate(text, "--rate")


def test_a_span_has_two_ends_in_their_order():
    assert span("0.5s..2s", "--think") == (0.5, 2.0)
    assert span("1s", "--think") == (1.0, 1.0)
    assert span("0..1", "--think") == (0.0, 1.0)
    with pytest.raises(UsageError, match="1 is below 2") as caught:
        span("2..1", "--think")
    assert caught.value.hint == "exchange the two: --think 1..2"
    with pytest.raises(UsageError, match="not a length of time"):
        span("..", "--think")


@pytest.mark.parametrize(("text", "value"), [("5", 5), ("1_000", 1000), ("1,000", 1000)])
def test_a_whole_number_is_read(text, value):
    assert whole(text, "-n") == value


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "x", "", "٣", "9" * 30])
def test_what_is_no_whole_number_is_said(text):
    with pytest.raises(UsageError, match=r"^-n"):
        whole(text, "-n")


def test_a_share_is_read_in_either_form():
    assert share("95", "--confidence") == share("95%", "--confidence") == share("0.95", "--confidence") == 0.95
    for text in ("0", "100", "x", "-5", "1"):
        with pytest.raises(UsageError, match=r"^--confidence"):
            share(text, "--confidence") if text != "1" else share("100%", "--confidence")
