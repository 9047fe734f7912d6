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
