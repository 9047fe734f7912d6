"""The one table of formats of proxies and web servers: combined access lines and nginx's error log."""

from woolly_mcpdiag.logs.formats.format import ANY, Format, Sample

_COMBINED = '127.0.0.1 - - [22/Nov/2026:14:41:16 +0000] "POST /mcp HTTP/1.1" 504 167 "-" "python-httpx/0.28.1"'
_ERROR = "*1 connect() failed (111: Connection refused) while connecting to upstream, client: 127.0.0.1, server: "

ACCESS: tuple[Format, ...] = (
    Format(
        name="combined",
        starts="0aAD.",
        pattern=(
            rf"(?P<message>(?!{ANY}:)\S{{1,200}} \S{{1,200}} \S{{1,200}} "
            r"\[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?:\.\d{1,6})?(?: [+-]\d{4})?)\] .*)"
        ),
        samples=(
            Sample(line=_COMBINED, message=_COMBINED, time="2026-11-22T14:41:16+00:00"),
            Sample(
                line='::1 - - [22/Nov/2026:15:41:16 +0100] "GET / HTTP/1.1" 200 5',
                message='::1 - - [22/Nov/2026:15:41:16 +0100] "GET / HTTP/1.1" 200 5',
                time="2026-11-22T14:41:16+00:00",
            ),
        ),
    ),
    Format(
        name="nginx-error",
        starts="0",
        pattern=(
            r"(?P<time>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) "
            r"\[(?P<level>debug|info|notice|warn|error|crit|alert|emerg)\] \d+#\d+: (?P<message>.*)"
        ),
        samples=(
            Sample(
                line=f"2026/11/22 14:42:17 [error] 14776#14776: {_ERROR}",
                message=_ERROR,
                level="ERROR",
                time="2026-11-22T14:42:17+00:00",
            ),
        ),
    ),
)
