import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from woolly_mcpdiag.load.engine import sse
from woolly_mcpdiag.load.engine.failure import PeerError
from woolly_mcpdiag.load.engine.sse import Events

LINES = st.sampled_from(
    [
        b"data: a",
        b"data:b",
        b"data:",
        b"event: endpoint",
        b": ping",
        b"id: 7",
        b"retry: 10",
        b"",
        b"",
        b"data: \xc3\xa4",
    ]
)


@given(
    st.lists(LINES, max_size=12),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
    st.booleans(),
    st.lists(st.integers(0, 300), max_size=8),
)
def test_a_stream_is_the_same_wherever_it_is_split_and_however_its_lines_end(lines, end, mark, cuts):
    plain = b"\n".join([*lines, b"", b""])
    data = (b"\xef\xbb\xbf" if mark else b"") + plain.replace(b"\n", end)
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    events = Events()
    found = [event for start, stop in itertools.pairwise(places) for event in events.feed(data[start:stop])]
    assert found == Events().feed(plain)


@given(st.binary(max_size=300))
def test_garbage_never_raises(data):
    assert isinstance(Events().feed(data), list)


def test_an_event_has_a_name_and_all_its_data():
    assert Events().feed(b": hi\n\nevent: endpoint\ndata: /m\n\ndata: 1\ndata: 2\n\ndata:\n\n") == [
        (b"endpoint", b"/m"),
        (b"message", b"1\n2"),
        (b"message", b""),
    ]


def test_an_event_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(sse, "MOST_EVENT", 1000)
    events = Events()
    for _ in range(50):
        events.feed(b"data: xxxxxxxxxxxx\n")
    with pytest.raises(PeerError, match="larger than 1000 bytes"):
        events.feed(b"data: x" * 20)
