"""Every message is recognised by its own row, from its own sample."""

import pytest

from woolly_mcpdiag.logs.batch import BatchBuilder, Kind, Vocabulary
from woolly_mcpdiag.logs.recognise import LITERALS, Recogniser
from woolly_mcpdiag.logs.recognise.messages import MESSAGES, Message
from woolly_mcpdiag.logs.record import Record


def read(message: str, level: str = "INFO"):
    vocabulary, out = Vocabulary(), BatchBuilder()
    recogniser = Recogniser(vocabulary, "app.log")
    understood = recogniser.feed(Record(1, message, level=level, format="levelled", raw=message), out)
    recogniser.flush(out)
    return understood, out.take(), vocabulary


@pytest.mark.parametrize("row", MESSAGES, ids=lambda row: row.sample[:40])
def test_the_first_row_that_takes_a_sample_is_its_own(row: Message):
    assert row.literal in row.sample
    first = next(one for one in MESSAGES if one.literal in row.sample and one.search(row.sample))
    assert first is row


@pytest.mark.parametrize("row", MESSAGES, ids=lambda row: row.sample[:40])
def test_a_sample_becomes_one_row_of_its_kind(row: Message):
    _, batch, _ = read(row.sample)
    if row.kind == "session.opened":
        assert batch.kind.tolist() == [Kind.OPENED]
        assert (batch.high[0], batch.low[0]) != (0, 0)
    else:
        assert batch.kind.tolist() == [Kind.NOTE]
        assert (batch.notes[0].kind, batch.notes[0].error) == (row.kind, row.error)


@pytest.mark.parametrize("row", MESSAGES, ids=lambda row: row.sample[:40])
def test_a_literal_is_known_to_the_fast_scanner(row: Message):
    assert row.literal in LITERALS


def test_samples_are_told_apart():
    assert len({row.sample for row in MESSAGES}) == len(MESSAGES)


@pytest.mark.parametrize("literal", LITERALS)
def test_a_literal_alone_gives_no_exchange(literal: str):
    _, batch, _ = read(literal)
    assert not (batch.kind <= Kind.PROXIED).any()
