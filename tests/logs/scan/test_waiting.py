# ruff: noqa: E501 - log lines are not wrapped
import random

import numpy as np
import pytest

from woolly_mcpdiag.logs.batch import Batch
from woolly_mcpdiag.logs.recognise.httpcore import Headers
from woolly_mcpdiag.logs.scan.waiting import Answers, Waiting

STATUSES = (200, 202, 400, 404)


def answers_of(r: random.Random, lines: list[int]) -> Answers:
    """Answers with random facts."""
    return Answers(
        np.array(lines, np.int64),
        np.array([r.choice(STATUSES) for _ in lines], np.int64),
        np.array([r.randrange(1000) for _ in lines], np.int64),
        np.array([r.randrange(9) for _ in lines], np.uint64),
        np.array([r.randrange(9) for _ in lines], np.uint64),
    )


def calls_of(lines: list[int], statuses: list[int]) -> Batch:
    """Calls, every third of which names its own session."""
    batch = Batch.empty(len(lines))
    batch.line[:], batch.status[:] = lines, statuses
    batch.high[::3] = 7
    return batch


def one_by_one(waiting: Waiting, answers: Answers, calls: Batch) -> None:
    """What the line engine does."""
    steps = [(line, True, index) for index, line in enumerate(answers.line.tolist())]
    steps += [(line, False, row) for row, line in enumerate(calls.line.tolist())]
    for _, is_answer, index in sorted(steps):
        if is_answer:
            waiting.put(answers, index)
        else:
            waiting.give(calls, index)


@pytest.mark.parametrize("seed", range(60))
def test_calls_of_a_block_get_the_answers_they_get_one_by_one(seed):
    r = random.Random(seed)
    expected, got = Headers(), Headers()
    for _ in range(3):
        share = r.random()
        is_answer = [r.random() < share for _ in range(r.randrange(400))]
        answers = answers_of(r, [line for line, yes in enumerate(is_answer) if yes])
        lines = [line for line, yes in enumerate(is_answer) if not yes]
        statuses = [r.choice(STATUSES) for _ in lines]
        left, right = calls_of(lines, statuses), calls_of(lines, statuses)
        one_by_one(Waiting(expected), answers, left)
        Waiting(got).give_all(answers, right)
        assert got._waiting == expected._waiting
        for name in ("size", "high", "low"):
            assert (getattr(right, name) == getattr(left, name)).all()


def test_a_call_with_a_line_behind_it_still_takes_its_own_answer(agree):
    answer = "2026-11-22 14:44:21,778 DEBUG httpcore.http11: receive_response_headers.complete return_value=(b'HTTP/1.1', 200, b'OK', [(b'content-length', b'{}')])"
    call = '2026-11-22 14:44:21,778 INFO httpx: HTTP Request: POST http://h/mcp "HTTP/1.1 200 OK"'
    log = [line for size in range(40) for line in (answer.format(size), call)]
    log += [answer.format(41), answer.format(42), call, "goes on", call, answer.format(43), call]
    rows, _, _ = agree("\n".join(log).encode())
    assert [row[7] for row in rows[-3:]] == [42, 41, 43]


@pytest.mark.parametrize("seed", range(20))
def test_an_answer_that_its_call_follows_at_once_goes_to_it(seed):
    r = random.Random(seed)
    expected, got = Headers(), Headers()
    for _ in range(3):
        steps: list[tuple[bool, int]] = []
        for _ in range(60):
            status = r.choice(STATUSES)
            steps += [(True, status)] * (r.random() < 0.6) + [(False, status)]
        steps += [(True, 404)] * r.randrange(2)
        answers = answers_of(r, [line for line, (yes, _) in enumerate(steps) if yes])
        answers.status[:] = [status for yes, status in steps if yes]
        lines = [line for line, (yes, _) in enumerate(steps) if not yes]
        statuses = [status for yes, status in steps if not yes]
        left, right = calls_of(lines, statuses), calls_of(lines, statuses)
        one_by_one(Waiting(expected), answers, left)
        Waiting(got).give_all(answers, right)
        assert got._waiting == expected._waiting
        for name in ("size", "high", "low"):
            assert (getattr(right, name) == getattr(left, name)).all()
