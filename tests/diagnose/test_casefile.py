"""What is kept of a log: the same however it is cut into batches, and true to scale where it is thinned."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from woolly_mcpdiag.diagnose.casefile import CaseFile, alike
from woolly_mcpdiag.diagnose.engine import judge
from woolly_mcpdiag.diagnose.pictures import overlaps
from woolly_mcpdiag.diagnose.pool import Pool
from woolly_mcpdiag.diagnose.sessions import SessionTable
from woolly_mcpdiag.logs.batch import NO_TIME, Batch, BatchBuilder, Kind, Logger, Vocabulary

ROW = st.tuples(
    st.sampled_from([1, 2, 3]),  # method: GET, POST, DELETE
    st.sampled_from([200, 202, 307, 400, 401, 404, 405, 406, 409, 421, 429, 499, 500, 502, 503, 504]),
    st.integers(0, 2),  # address
    st.integers(0, 3),  # session
    st.sampled_from([-1, 9, 22, 27, 41, 91, 99, 105, 107, 112, 183, 197]),  # body
    st.sampled_from([Logger.HTTPX, Logger.HTTPX2]),
    st.booleans(),  # a line that names a session
)
ALL = ("*",)
URLS = ("http://h:1/mcp", "http://h:1/sse", "http://h:1/messages/")


def batches(rows, cuts, timed=True):
    out = BatchBuilder()
    for number, (method, status, url, session, size, logger, opening) in enumerate(rows, 1):
        kind = Kind.OPENED if opening else Kind.CALL
        out.add(
            line=number,
            time=number * 250_000 if timed else NO_TIME,
            kind=kind,
            source=0,
            logger=Logger.APP if opening else logger,
            method=0 if opening else method,
            status=0 if opening else status,
            url=-1 if opening else url,
            size=size,
            high=session + 1 if opening or url == 2 else 0,
            low=session + 1 if opening or url == 2 else 0,
            text=f"{method} {status}",
        )
        if number in cuts:
            yield out.take()
    yield out.take()


def vocabulary():
    words = Vocabulary()
    words.sources.code("a.log")
    for url in URLS:
        words.urls.code(url)
    return words


def filed(rows, cuts=(), timed=True):
    file = CaseFile(vocabulary())
    for batch in batches(rows, set(cuts), timed):
        file.add(batch)
    return file


@settings(max_examples=150, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=60), st.booleans())
def test_every_ledger_adds_up(rows, timed):
    opinion = judge(filed(rows, timed=timed), ALL)
    failing = sum(1 for row in rows if not row[6] and row[1] >= 400)
    assert sum(ledger.total for ledger in opinion.ledgers) == failing
    for ledger in opinion.ledgers:
        assert ledger.unexplained >= 0
        assert all(part.count > 0 for part in ledger.parts)
        assert ledger.total == sum(part.count for part in ledger.parts) + ledger.unexplained
    for finding in opinion.case.findings:
        assert finding.count > 0
        assert finding.evidence


@settings(max_examples=60, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=50), st.lists(st.integers(1, 50), max_size=6))
def test_a_diagnosis_does_not_depend_on_how_the_log_was_cut(rows, cuts):
    whole, pieces = judge(filed(rows), ALL), judge(filed(rows, cuts), ALL)
    told = [(finding.cause, finding.count, finding.confidence) for finding in whole.case.findings]
    assert told == [(finding.cause, finding.count, finding.confidence) for finding in pieces.case.findings]
    assert [hypothesis.answer for hypothesis in whole.hypotheses] == [h.answer for h in pieces.hypotheses]


@settings(max_examples=60, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=60), st.lists(st.integers(1, 60), max_size=8))
def test_sessions_added_in_pieces_are_those_added_at_once(rows, cuts):
    tables = []
    for chosen in ((), cuts):
        table = SessionTable()
        for batch in batches(rows, set(chosen)):
            named = (batch.kind == Kind.CALL) & (batch.high != 0)
            table.add(batch, np.flatnonzero(named))
        tables.append(table.table())
    assert len(tables[0]) == len(tables[1])
    if len(tables[0]):
        orders = [np.argsort(table["low"], kind="stable") for table in tables]
        for name in tables[0].columns:
            assert tables[0][name][orders[0]].tolist() == tables[1][name][orders[1]].tolist(), name


@settings(max_examples=60, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=60))
def test_the_overlap_of_a_session_counts_the_others_alive_at_its_first_failure(rows):
    table = filed(rows).sessions[Kind.CALL].table()
    if not len(table):
        return
    failing = np.flatnonzero(table["fail"])
    ends = np.maximum(table["last_ok"], table["last_fail"])
    at = table["first_fail"][failing]
    assert overlaps(table, failing) == [
        int(np.count_nonzero((table["first_line"] <= one) & (ends >= one))) - 1 for one in at.tolist()
    ]


def test_codes_are_told_apart_where_their_short_forms_are_the_same():
    # More codes than 16 bits have values, so that some share one.
    codes = np.tile(np.arange(70_000), 2)
    found = alike(codes)
    assert len(found) == 70_000
    assert [found[at].tolist() for at in (0, 35_000, 69_999)] == [[at, at + 70_000] for at in (0, 35_000, 69_999)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.integers(4, 20))
def test_a_thinned_pool_keeps_every_nth_row(sizes, cap):
    pool, line = Pool(cap), 0
    for size in sizes:
        batch = Batch.empty(size)
        batch.line[:] = np.arange(line, line + size)
        line += size
        pool.add(batch, np.arange(size), np.zeros(size, np.int64))
    kept = pool.columns()["line"].tolist()
    assert pool.seen == line
    assert len(kept) <= cap
    assert kept == list(range(0, line, pool.stride))
    assert len(kept) * pool.stride >= line > (len(kept) - 1) * pool.stride
