"""Each cause by its sign, and beside it the nearest rival that must not be taken for it.

A row of a case is (seconds, what): "POST 200" is an httpx line, "probe 400" an httpx2 POST, "id a" a client's line that
names a session, "made a" an application's, anything else a line of its own.
"""

import pytest

MCP = "http://127.0.0.1:8009/mcp"
SSE = "http://127.0.0.1:8009/sse"
REASONS = {200: "OK", 202: "Accepted", 307: "Temporary Redirect", 400: "Bad Request", 404: "Not Found"}


def line(at, what, url):
    stamp = f"2026-03-01 10:00:{int(at):02d},{round(at % 1 * 1000):03d}"
    first, _, rest = what.partition(" ")
    if first in {"GET", "POST", "DELETE", "probe"}:
        method = "POST" if first == "probe" else first
        status, _, other = rest.partition(" ")
        logger = "httpx2" if first == "probe" or other == "2" else "httpx"
        address = other if other.startswith("http") else url
        answer = f"{status} {REASONS.get(int(status), 'X')}"
        return f'{stamp} INFO {logger}: HTTP Request: {method} {address} "HTTP/1.1 {answer}"'
    if first == "id":
        return f"{stamp} INFO mcp.client.streamable_http: Received session ID: {ord(rest):032x}"
    if first == "made":
        return f"{stamp} INFO app: Created new MCP session {ord(rest):032x} for key tester_{ord(rest):08x}"
    return f"{stamp} {what}"


def log(rows, url=MCP):
    return "\n".join(line(at, what, url) for at, what in rows) + "\n"


def served(rows):
    """What uvicorn prints of them: no times."""
    return "".join(
        f'INFO:     127.0.0.1:50000 - "{what.split()[0]} /mcp HTTP/1.1" {what.split()[1]} X\n'
        if what.split()[0] in {"GET", "POST", "DELETE"}
        else f"{what}\n"
        for _, what in rows
    )


def session(at, name, calls=3, start="POST 200"):
    """A sound session: initialize, initialized, stream, calls, DELETE."""
    rows = [(at, start), (at + 0.001, f"id {name}"), (at + 0.01, "POST 202"), (at + 0.012, "GET 200")]
    rows += [(at + 0.02 + 0.01 * number, "POST 200") for number in range(calls)]
    return [*rows, (at + 0.03 + 0.01 * calls, "DELETE 200")]


HEALTHY = [row for number in range(4) for row in session(number, "abcd"[number])]
HARVEST = [
    row
    for number in range(4)
    for row in ((number, "GET 400"), (number + 0.002, f"made {'abcd'[number]}"), (number + 0.01, "GET 200"))
]
HARVEST_NEW = [(at, what.replace("GET 200", "GET 404")) for at, what in HARVEST]
PROBED = [
    row for number in range(4) for row in [(number - 0 + 0.0, "probe 400"), *session(number + 0.1, "abcd"[number])]
]
NO_AFFINITY = [
    row
    for number in range(6)
    for row in (
        (number, "POST 200"),
        (number + 0.001, f"id {'abcdef'[number]}"),
        (number + 0.01, "POST 404" if number % 2 else "POST 202"),
        (number + 0.02, "GET 404" if number % 3 else "GET 200"),
        (number + 0.03, "POST 404"),
        (number + 0.04, "DELETE 404" if number % 2 else "DELETE 200"),
    )
]
LOST = [
    *[row for number in range(3) for row in session(0.1 * number, "abc"[number], calls=4)[:-1]],
    *[(0.4 + 0.1 * number, "POST 200") for number in range(8)],
    *[(9 + 0.01 * number, "POST 404") for number in range(3)],
    *session(10, "d"),
]
EARLY = [
    row
    for number in range(8)
    for row in (
        (4 * number, "POST 200"),
        (4 * number + 0.001, f"id {'abcdefgh'[number]}"),
        (4 * number + 0.01, "POST 404"),
        (4 * number + 0.1, "POST 404"),
        *[(4 * number + 0.6 + 0.2 * call, "POST 200") for call in range(3)],
    )
]
CLOSED = [row for number in range(3) for row in [*session(number, "abc"[number]), (number + 0.5, "POST 404")]]


def later(rows, by):
    """The same again, of other sessions."""
    return [(at + by, what.upper().replace("ID", "id") if what.startswith("id ") else what) for at, what in rows]


OLD_LOST = [(at, what.replace("404", "400")) for at, what in LOST]
LONG = [row for number in range(26) for row in session(number * 1.5, chr(ord("a") + number))]
BOTH = [*PROBED, *later(LOST, 20)]
ERROR = "ERROR app: call failed: "

CASES = {
    "healthy": (log(HEALTHY), set()),
    "harvested": (log(HARVEST, SSE), {"session.harvested-from-400"}),
    "harvested, new server": (log(HARVEST_NEW, SSE), {"session.harvested-from-400"}),
    "plain SSE client": (log([(number, "GET 400") for number in range(3)], SSE), {"transport.mismatch"}),
    "SSE client beside others": (log([*HEALTHY, (20, "GET 400"), (21, "GET 400")]), {"transport.mismatch"}),
    "Streamable client on SSE": (log([(0, "POST 405"), (1, "POST 405")], SSE), {"transport.mismatch"}),
    "era probe": (log(PROBED), {"transport.era-probe"}),
    "era probe, then lost": (log(BOTH), {"transport.era-probe", "session.lost"}),
    "no affinity": (log(NO_AFFINITY), {"session.no-affinity"}),
    "lost": (log(LOST), {"session.lost"}),
    "2.x client that never probes, then lost": (
        log([(at, f"{what} 2" if what.startswith(("POST", "GET")) else what) for at, what in OLD_LOST]),
        {"session.lost"},
    ),
    "1.x clients before 2.x clients": (log([*HEALTHY, *later(PROBED, 20)]), {"transport.era-probe"}),
    "no affinity after a long sound time": (log([*LONG, *later(NO_AFFINITY, 50)]), {"session.no-affinity"}),
    "lost after a long sound time": (log([*LONG, *later(LOST, 45)]), {"session.lost"}),
    "used before ready": (log(EARLY), {"session.used-before-ready"}),
    "used after close": (log(CLOSED), {"session.used-after-close"}),
    "wrong path beside healthy": (
        log([*HEALTHY, (9, f"POST 404 {MCP}x/mcp"), (10, f"POST 404 {MCP}x/mcp")]),
        {"transport.wrong-path"},
    ),
    "capacity": (log([*HEALTHY, (9, "POST 503")]), {"server.capacity"}),
    "rate limit": (log([*HEALTHY, (9, "POST 429")]), {"proxy.rate-limit"}),
    "gateway": (log([*HEALTHY, (9, "POST 502")]), {"proxy.upstream-down"}),
    "gateway timeout": (log([*HEALTHY, (9, "POST 504")]), {"proxy.timeout"}),
    "host guard": (log([(0, "POST 421")]), {"transport.host-guard"}),
    "redirect": (log([(0, f"POST 307 {MCP}/"), (0.1, "POST 200")]), {"transport.redirect"}),
    "accept": (log([*HEALTHY, (9, "POST 406")]), {"transport.bad-accept"}),
    "stream conflict": (log([*HEALTHY, (9, "GET 409")]), {"session.stream-conflict"}),
    "credentials": (log([(0, "POST 401")]), {"auth.required"}),
    "pool": (log([*HEALTHY, (9, f"{ERROR}PoolTimeout")]), {"client.pool-exhausted"}),
    "refused": (log([(0, f"{ERROR}ConnectError: All connection attempts failed")]), {"net.refused"}),
    "name": (log([(0, f"{ERROR}ConnectError: [Errno -2] Name or service not known")]), {"net.dns"}),
    "TLS": (log([(0, f"{ERROR}ConnectError: [SSL: WRONG_VERSION_NUMBER] wrong version")]), {"net.tls-mismatch"}),
    "connect timeout": (log([(0, f"{ERROR}ConnectTimeout")]), {"net.connect-timeout"}),
    "timeout alone": (log([*HEALTHY, (9, f"{ERROR}ReadTimeout")]), {"net.read-timeout"}),
    "kept connection": (
        log([*HEALTHY, *[(5 + n / 9, "POST 200") for n in range(20)], (9, f"{ERROR}ReadError")]),
        {"net.keepalive-race"},
    ),
    "connections cut": (
        log([*HEALTHY, *[(9 + n, f"{ERROR}RemoteProtocolError: Server disconnected") for n in range(4)]]),
        {"net.connection-cut"},
    ),
    "connections cut by a server that went away": (
        log([*HEALTHY, (9, f"{ERROR}ReadError"), (9.1, f"{ERROR}ConnectError: All connection attempts failed")]),
        {"net.refused"},
    ),
    "other task": (
        log(
            [(0, "ERROR mcp: RuntimeError: Attempted to exit cancel scope in a different task than it was entered in")]
        ),
        {"client.closed-in-other-task"},
    ),
    "blocked loop": (
        log([*HEALTHY, (9, "WARNING asyncio: Executing <Task name='a'> took 1.2 seconds")]),
        {"server.event-loop-blocked"},
    ),
    "descriptors": (log([(0, "ERROR x: OSError: [Errno 24] Too many open files")]), {"server.fd-exhausted"}),
    "proxy of the environment on this host": (
        log([(0, "DEBUG httpcore.connection: connect_tcp.started host='127.0.0.1' port=3128"), (0.1, "POST 403")]),
        {"net.env-proxy"},
    ),
    "refused without a proxy": (
        log([(0, "DEBUG httpcore.connection: connect_tcp.started host='localhost' port=8009"), (0.1, "POST 403")]),
        {"auth.forbidden"},
    ),
    "idle, server's word": (
        log([*LOST, (11, f"INFO mcp.server: Session {ord('a'):032x} idle timeout")]),
        {"session.idle-expired"},
    ),
    "stateless server and 2.x clients": (
        served(
            [(0, what) for _ in range(4) for what in ("POST 400", "Terminating session: None", "POST 200", "POST 202")]
        ),
        {"transport.era-probe"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_log_is_given_its_cause_and_no_other(name, judge):
    text, wanted = CASES[name]
    found = judge(text)
    assert {finding.cause for finding in found.findings} == wanted
    for ledger in found.ledgers:
        assert ledger.total == sum(part.count for part in ledger.parts) + ledger.unexplained


@pytest.mark.parametrize("name", ["harvested", "no affinity", "lost", "used before ready", "used after close"])
def test_the_same_log_without_times_gives_no_other_session_cause(name, judge):
    text, wanted = CASES[name]
    bare = "".join(row[24:] + "\n" for row in text.splitlines())
    session_causes = {finding.cause for finding in judge(bare).findings}
    assert session_causes <= wanted | {"session.lost", "session.no-affinity"}
    assert session_causes


def test_two_causes_at_two_addresses_keep_their_counts(judge):
    text = log(HARVEST, SSE) + log(later(NO_AFFINITY, 30))
    found = {finding.cause: finding for finding in judge(text).findings}
    assert set(found) == {"session.harvested-from-400", "session.no-affinity"}
    assert found["session.harvested-from-400"].count == 4
    assert found["session.no-affinity"].count == sum(" 404" in what for _, what in NO_AFFINITY)


def test_a_session_cause_is_never_named_from_a_timeout_alone(judge):
    found = judge(log([*HEALTHY, (9, f"{ERROR}ReadTimeout"), (9.5, f"{ERROR}ReadTimeout")]))
    assert not [finding for finding in found.findings if finding.cause.startswith("session.")]


def test_one_is_written_in_the_singular(judge):
    (found,) = judge(log([*HEALTHY, (9, "POST 429")])).findings
    assert found.summary.startswith("1 request was refused")
    (found,) = judge(log([*HEALTHY, (9, "POST 502")])).findings
    assert found.summary.startswith("1 request to")


@pytest.mark.parametrize("name", ["lost", "no affinity", "capacity", "timeout alone"])
def test_what_has_a_rival_is_not_certain(name, judge):
    (found,) = (finding for finding in judge(CASES[name][0]).findings if not finding.benign)
    assert found.confidence != "certain"


def test_a_log_without_times_beside_it_does_not_take_a_clients_times_away(judge):
    found = judge(log(LOST), served(LOST))
    assert found.timed
    (lost,) = found.findings
    assert lost.cause == "session.lost"
    assert " of silence" in lost.summary
    (note,) = (line for line in found.invisible if "carries a time" in line)
    assert "1.log" in note
    assert "0.log" not in note


def spaced(*starts, calls=8, failure="POST 404"):
    """A session that works, a long pause, a refusal, and again."""
    rows = []
    for number, start in enumerate(starts):
        name = "abcdefgh"[number]
        rows += [
            (start, "POST 200"),
            (start + 0.001, f"id {name}"),
            (start + 0.01, "POST 202"),
            (start + 0.02, "GET 200"),
        ]
        rows += [(start + 0.03 + 0.1 * call, "POST 200") for call in range(calls)]
        rows += [(start + 15, failure)]
    return rows


@pytest.mark.parametrize("calls", [3, 8])
def test_equal_silences_before_losses_at_different_moments_are_an_idle_limit(calls, judge):
    (found,) = judge(log(spaced(0, 20, 40, calls=calls))).findings
    assert (found.cause, found.confidence, found.count) == ("session.idle-expired", "likely", 3)
    figure = f"{15 - 0.03 - 0.1 * (calls - 1):.1f} s of silence"
    assert figure in found.because[0]
    assert figure in found.summary


def test_a_silence_that_a_session_survived_is_no_idle_limit(judge):
    survived = [(40, "POST 200"), (40.001, "id c"), (40.01, "POST 202"), (58, "POST 200"), (58.1, "POST 200")]
    (found,) = judge(log([*spaced(0, 20), *survived])).findings
    assert (found.cause, found.confidence) == ("session.lost", "likely")
    assert "yet one still worked after 18.0 s" in found.because[0]


def test_losses_at_different_moments_are_not_said_to_be_at_one(judge):
    busy = [(number / 2, "POST 200") for number in (*range(20, 30), *range(60, 70))]
    (found,) = judge(log(sorted([*spaced(0, 20), *busy]))).findings
    assert found.cause == "session.lost"
    assert " moment " not in " ".join((found.summary, *found.because))


def test_a_session_that_works_after_its_refusal_was_not_lost(judge):
    calls = [(number / 2, "POST 400" if number in {15, 27} else "POST 200") for number in range(2, 40)]
    found = judge(log([(0, "POST 200"), (0.001, "id a"), (0.01, "POST 202"), *calls]))
    assert not found.findings
    assert sum(ledger.unexplained for ledger in found.ledgers) == 2


def test_a_refusal_before_it_does_not_hide_that_a_session_is_lost_later(judge):
    calls = [(number / 2, "POST 400" if number in {15, 37, 38, 39} else "POST 200") for number in range(2, 40)]
    (found,) = judge(log([(0, "POST 200"), (0.001, "id a"), (0.01, "POST 202"), *calls])).findings
    assert found.cause == "session.lost"


def hasty(wait):
    """Five sessions made at once, all of whose other requests are refused, the last ones after a wait."""
    rows = [row for n in range(5) for row in ((n / 500, "POST 200"), (n / 500 + 0.001, f"id {'abcde'[n]}"))]
    rows += [(0.03 + n / 500, what) for n, what in enumerate(["POST 404", "GET 404", "POST 404"] * 5)]
    return [*rows, *[(wait + n / 500, "DELETE 404") for n in range(5)]]


def test_failures_that_come_only_at_once_are_possibly_too_early(judge):
    (found,) = judge(log(hasty(0.08))).findings
    assert (found.cause, found.confidence) == ("session.used-before-ready", "possible")
    assert any(line.startswith("Not excluded: many replicas") for line in found.because)


def test_one_change_between_success_and_failure_is_no_turn_taking(judge):
    (found,) = judge(log(hasty(9))).findings
    assert (found.cause, found.confidence) == ("session.no-affinity", "possible")
    assert "change 1 time," in found.because[0]
    assert "in turn" not in found.summary


def test_an_era_probe_and_a_session_lost_later_are_told_apart_in_one_kind_of_line(judge):
    calls = [(1 + number / 2, "POST 200") for number in range(10)]
    lost = [(7 + number, "POST 400") for number in range(3)]
    start = [(0, "POST 400"), (0.02, "POST 200"), (0.023, "id a"), (0.03, "POST 202"), (0.04, "GET 200")]
    found = {finding.cause: finding for finding in judge(log([*start, *calls, *lost])).findings}
    assert {cause: finding.count for cause, finding in found.items()} == {"transport.era-probe": 1, "session.lost": 3}
    assert 1 not in {line.line for line in found["session.lost"].evidence}


def test_refusals_of_sessions_are_not_probes_where_streams_are_refused_alike(judge):
    waves = [*hasty(0.08), *later(hasty(0.08), 1)]
    two = [(at, f"{what} 2" if what.startswith(("POST", "GET", "DELETE")) else what) for at, what in waves]
    assert {finding.cause for finding in judge(log(two)).findings} == {"session.used-before-ready"}


@pytest.mark.parametrize(
    ("status", "size", "cause"),
    [
        (404, 91, "session.lost"),
        (404, 81, "session.lost"),
        (400, 41, "session.lost"),
        (404, 112, "session.used-after-close"),
        (404, 9, "transport.wrong-path"),
    ],
)
def test_the_size_of_an_answer_names_an_unknown_session(status, size, cause, judge):
    rows = [
        f'10.0.0.1 - - [20/Nov/2026:09:00:0{n} +0000] "POST /mcp HTTP/1.1" {status} {size} "-" "python-httpx/0.28.1"\n'
        for n in range(6)
    ]
    (found,) = judge("".join(rows)).findings
    assert (found.cause, found.count) == (cause, 6)
