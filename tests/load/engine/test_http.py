import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from woolly_mcpdiag.load.engine.failure import PeerError
from woolly_mcpdiag.load.engine.http import MOST_HEAD, Reader, at_once, head_of

BODIES = st.binary(max_size=200)
TARGETED = st.lists(
    st.sampled_from(
        [
            b"HTTP/1.1 200 OK\r\n",
            b"\r\n",
            b"\n",
            b"content-length: 3\r\n",
            b"transfer-encoding: chunked\r\n",
            b"5\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\n",
            b"abcde",
            b"0\r\n",
            b"-1",
            b"zz\r\n",
            b"HTTP/1.0 204 No\r\n",
            b": x\r\n",
        ]
    ),
    max_size=12,
).map(b"".join)


def chunked(parts: list[bytes], trailer: bytes = b"") -> bytes:
    return b"".join(b"%x;x=1\r\n%b\r\n" % (len(part), part) for part in parts if part) + b"0\r\n" + trailer + b"\r\n"


@st.composite
def answers(draw) -> tuple[bytes, int, bytes]:
    """An answer as bytes, with its status and body."""
    status = draw(st.sampled_from([200, 202, 400, 503]))
    before = draw(
        st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"])
    )
    head = before + b"HTTP/1.1 %d Some Reason\r\ncontent-type: application/json\r\n" % status
    parts = draw(st.lists(BODIES, max_size=4))
    if draw(st.booleans()):
        trailer = draw(st.sampled_from([b"", b"x-sum: 1\r\n"]))
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(parts, trailer), status, b"".join(parts)
    body = b"".join(parts)
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body, status, body


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[start:end] for start, end in itertools.pairwise(places)]


def read(parts: list[bytes]) -> tuple[int, bytes, bool]:
    reader = Reader()
    body = b"".join(reader.feed(part) for part in parts)
    assert reader.head is not None
    return reader.head.status, body, reader.ended


@given(answers(), st.lists(st.integers(0, 10_000), max_size=8))
def test_an_answer_is_the_same_wherever_it_is_split(answer, cuts):
    data, status, body = answer
    assert read(pieces(data, cuts)) == (status, body, True)


@given(st.one_of(answers().map(lambda answer: answer[0]), TARGETED))
def test_what_is_read_at_once_is_what_the_reader_reads(data):
    found = at_once(data)
    reader = Reader()
    if found is not None:
        body = reader.feed(data)
        assert (reader.head, body, reader.ended, reader.surplus) == (*found, True, False)


def test_an_answer_of_known_length_is_read_at_once():
    assert at_once(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")[1] == b"hi"
    assert at_once(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhim") is None


@pytest.mark.parametrize("again", [b"", b"Mcp-Session-Id:b\r\n", b"mcp-session-id: c \r\n"])
def test_a_head_reads_the_same_whatever_session_it_names(again):
    for session in (b"s1", b"s2", b"s 3"):
        raw = b"HTTP/1.1 200 OK\r\nX: 1\r\nMCP-Session-ID: " + session + b"\r\n" + again + b"content-length: 0\r\n\r\n"
        head = head_of(raw)
        assert head.raw == raw
        assert (head.status, head.length) == (200, 0)
        assert head.session == ", ".join([session.decode(), *([again[15:].decode().strip(" :\r\n")] if again else [])])


@given(answers())
def test_an_answer_is_not_whole_before_its_last_byte(answer):
    data, _, _ = answer
    reader = Reader()
    for index in range(len(data) - 1):
        reader.feed(data[index : index + 1])
        assert not reader.ended
    reader.feed(data[-1:])
    assert reader.ended
    assert not reader.surplus


@given(st.one_of(st.binary(max_size=300), TARGETED), st.lists(st.integers(0, 300), max_size=4))
def test_garbage_gives_an_answer_or_a_peer_error_the_same_for_every_split(data, cuts):
    def outcome(parts: list[bytes]) -> object:
        reader = Reader()
        try:
            body = b"".join(reader.feed(part) for part in parts)
        except PeerError:
            return "no answer"
        return reader.head, body, reader.close()

    assert outcome(pieces(data, cuts)) == outcome([data] if data else [])


def test_a_second_answer_is_read_after_the_first():
    reader = Reader()
    reader.feed(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab")
    reader.begin()
    assert reader.feed(b"HTTP/1.1 404 Not Found\r\ncontent-length: 1\r\n\r\nc") == b"c"
    assert reader.head is not None
    assert (reader.head.status, reader.ended) == (404, True)


def test_more_than_the_answer_is_surplus():
    reader = Reader()
    assert reader.feed(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nabHTTP") == b"ab"
    assert reader.surplus


@pytest.mark.parametrize(
    ("head", "keep"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0", True),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nConnection: Close", False),
        (b"HTTP/1.1 200 OK\r\nserver: x", False),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 0", False),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\nconnection: keep-alive", True),
        (b"HTTP/1.1 204 No Content", True),
    ],
)
def test_a_connection_is_kept_where_the_answer_says_so(head, keep):
    reader = Reader()
    reader.feed(head + b"\r\n\r\n")
    assert reader.head is not None
    assert reader.head.keep is keep


def test_a_body_without_a_length_ends_with_the_connection():
    reader = Reader()
    assert reader.feed(b"HTTP/1.1 200 OK\r\n\r\nabc") + reader.feed(b"def") == b"abcdef"
    assert not reader.ended
    assert reader.close()


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/2 200\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * MOST_HEAD,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;" + b"y" * MOST_HEAD * 2,
    ],
)
def test_what_is_no_http_is_refused(data):
    with pytest.raises(PeerError):
        Reader().feed(data)
