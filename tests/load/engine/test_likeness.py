import pytest

from woolly_mcpdiag.load.engine.likeness import Likeness

ANSWER = b'HTTP/1.1 200 OK\r\n\r\n{"jsonrpc":"2.0","id":%d,"result":{"id":%d}}'


def learnt(*pairs: tuple[int, bytes]) -> Likeness:
    found = Likeness()
    for number, raw in pairs:
        found.learn(number, raw)
    return found


def test_two_good_answers_that_differ_in_their_number_show_where_it_stands():
    found = learnt((12, ANSWER % (12, 7)), (13, ANSWER % (13, 7)))
    assert found.front + b"14" + found.back == ANSWER % (14, 7)
    assert found.fits(99)
    assert not found.fits(100)


def test_one_good_answer_shows_nothing():
    assert not learnt((12, ANSWER % (12, 7))).fits(13)


@pytest.mark.parametrize(
    "second",
    [ANSWER % (13, 8), ANSWER % (12, 7), ANSWER % (12, 13), b"", (ANSWER % (13, 7)).replace(b"OK", b"ok")],
    ids=["another text", "the first once more", "another id within", "in pieces", "another head"],
)
def test_answers_that_differ_in_anything_else_are_not_alike(second):
    assert not learnt((12, ANSWER % (12, 7)), (13, second)).fits(14)


def test_an_id_within_the_result_is_not_taken_for_the_answers():
    found = learnt((12, ANSWER % (12, 12)), (13, ANSWER % (13, 13)))
    assert not found.fits(14)


def test_what_has_changed_is_learnt_anew():
    found = learnt((12, ANSWER % (12, 7)), (13, ANSWER % (13, 7)), (14, ANSWER % (14, 8)))
    assert not found.fits(15)
    found.learn(15, ANSWER % (15, 8))
    assert found.front + b"16" + found.back == ANSWER % (16, 8)
