"""Each hypothesis can come out each way, and does so by its figures."""

import pytest

SSE = "http://127.0.0.1:8009/messages/"


def stamp(at):
    return f"2026-03-01 10:{int(at) // 60:02d}:{int(at) % 60:02d},{round(at % 1 * 1000):03d}"


def post(at, session, status):
    return f'{stamp(at)} INFO httpx: HTTP Request: POST {SSE}?session_id={session:032x} "HTTP/1.1 {status} X"'


def life(at, session, *, fails, seconds=1.0):
    """A session: used at once and to its end; a failing one is unknown in turn."""
    statuses = (202, 404, 202, 404) if fails else (202, 202, 202, 202)
    return [
        (at + seconds * step / 3, post(at + seconds * step / 3, session, code)) for step, code in enumerate(statuses)
    ]


def log(*lives):
    return "".join(line + "\n" for _, line in sorted(row for rows in lives for row in rows))


def pairs(alone, together):
    """Sessions of which each stands alone, then sessions of which two always overlap."""
    rows = [life(10 * number, 1000 + number, fails=fails) for number, fails in enumerate(alone)]
    start = 10 * len(alone) + 100
    for number, fails in enumerate(together):
        rows.append(life(start + 10 * number, 2000 + number, fails=fails))
        rows.append(life(start + 10 * number - 0.5, 3000 + number, fails=False))
    return log(*rows)


def answer(judge, text, name):
    return next(found for found in judge(text).hypotheses if found.name == name)


def test_failures_that_rise_with_company_support_a_race(judge):
    found = answer(judge, pairs([False] * 20, [True] * 20), "race")
    assert found.answer == "supported"
    assert "alone 0 of" in found.figures


def test_failures_that_do_not_rise_with_company_refute_a_race(judge):
    alone, together = [number % 2 == 0 for number in range(200)], [number % 3 == 0 for number in range(100)]
    found = answer(judge, pairs(alone, together), "race")
    assert found.answer == "refuted", found.figures


@pytest.mark.parametrize("sessions", [1, 2])
def test_few_sessions_decide_nothing(judge, sessions):
    found = answer(judge, pairs([False] * sessions, [True] * sessions), "race")
    assert found.answer == "not decidable"
    assert found.decide


def test_many_failures_of_one_session_are_one_failure(judge):
    """Ninety refusals of a single lost session are no sample of ninety."""
    lost = [(400 + number, post(400 + number, 7, 202 if number % 2 else 404)) for number in range(180)]
    other = [life(450, 8, fails=False, seconds=60)]
    found = answer(judge, log(lost, *other, *[life(10 * n, 100 + n, fails=False) for n in range(20)]), "race")
    assert found.answer == "not decidable"


def test_agent_runs_that_fail_together_support_a_race(judge):
    rows = []
    for number in range(30):
        crowded = number >= 15
        at = 10 * number if not crowded else 400 + 0.1 * number
        rows.append((at, f"{stamp(at)} INFO app: Executing a{number}x agent (session: a{number}x_{number:08x})"))
        end = at + 3
        done = f"INFO app: Agent execution successful for a{number}x"
        failed = f"ERROR app: Agent execution failed for a{number}x: HTTPStatusError: 404"
        rows.append((end, f"{stamp(end)} {failed if crowded and number > 15 else done}"))
        url = f'INFO httpx: HTTP Request: POST http://h:1/mcp "HTTP/1.1 {404 if crowded and number > 15 else 200} X"'
        rows.append((at + 1, f"{stamp(at + 1)} {url}"))
    found = answer(judge, log(rows), "race")
    assert found.answer == "supported", found


def test_limits_are_no_race(judge):
    lines = [
        f'{stamp(n)} INFO httpx: HTTP Request: POST http://h:1/mcp "HTTP/1.1 {200 if n % 3 else 429} X"'
        for n in range(30)
    ]
    assert answer(judge, "\n".join(lines) + "\n", "race").answer == "refuted"


def early(wait):
    """Sessions at whose first ``wait`` seconds every request is refused; they never overlap."""
    lines = []
    for number in range(8):
        start = 10 * number
        for at in (0.0, 0.05, 0.2, 0.5, 1.5, 2.5, 4.0):
            status = 200 if at == 0 or at >= wait else 404
            lines.append(f'{stamp(start + at)} INFO httpx: HTTP Request: POST http://h:1/mcp "HTTP/1.1 {status} X"')
            if at == 0:
                lines.append(f"{stamp(start)} INFO mcp.client.streamable_http: Received session ID: {number + 1:032x}")
    return "\n".join(lines) + "\n"


def test_failures_of_young_sessions_only_support_timing(judge):
    assert answer(judge, early(0.3), "timing").answer == "supported"


def test_failures_of_old_sessions_refute_timing(judge):
    lines = early(0).replace("200 X", "200 Y").splitlines()
    last = [place for place, line in enumerate(lines) if ":04,000" in line or ":14,000" in line or ":24,000" in line]
    for place in last:
        lines[place] = lines[place].replace("200 Y", "404 Y")
    found = answer(judge, "\n".join(lines) + "\n", "timing")
    assert found.answer == "refuted", found


def test_timing_is_open_without_times(judge):
    bare = "".join(line[24:] + "\n" for line in pairs([True] * 4, [True] * 4).splitlines())
    found = answer(judge, bare, "timing")
    assert found.answer == "not decidable"
    assert "asctime" in found.decide


def test_a_harvested_session_refutes_race_timing_and_pool_and_is_the_same_each_time(judge):
    lines = []
    for number in range(6):
        for at, what in (
            (0, 'HTTP Request: GET http://h:1/sse/ "HTTP/1.1 400 Bad Request"'),
            (0.002, f"Created new MCP session {number + 1:032x} for key tester_{number + 1:08x}"),
            (0.01, 'HTTP Request: GET http://h:1/sse/ "HTTP/1.1 200 OK"'),
        ):
            lines.append((number + at, f"{stamp(number + at)} INFO httpx: {what}"))
    found = {hypothesis.name: hypothesis.answer for hypothesis in judge(log(lines)).hypotheses}
    assert found == {"race": "refuted", "timing": "refuted", "pool": "refuted", "deterministic": "supported"}


def test_a_pool_timeout_supports_the_pool(judge):
    text = f"{stamp(1)} ERROR app: call failed: PoolTimeout\n"
    assert answer(judge, text, "pool").answer == "supported"


def test_a_healthy_log_raises_no_question(judge):
    assert not judge(log(life(0, 1, fails=False))).hypotheses
