from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.report.event_lines import told


def test_an_event_is_told_in_words():
    event = Event(
        kind="http.exchange",
        method="POST",
        url="http://h/mcp",
        status=404,
        session="1a2b3c4d5e6f7a8b",
        duration=0.0125,
        extra={"rpc": "initialize"},
    )
    assert told(event.to_json()) == "POST http://h/mcp 404 initialize · session 1a2b3c4d · 12.5 ms"


def test_what_is_no_event_stays_as_it_is():
    for text in ("", "POST /mcp 400", '{"schema":"mcpdiag.event/1","kind":'):
        assert told(text) == text
