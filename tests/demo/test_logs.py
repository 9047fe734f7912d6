import io
import json
import logging
import re
from pathlib import Path

import pytest

from woolly_mcpdiag.core.errors import InputError
from woolly_mcpdiag.demo.logs import SERVICE, Format, Journal, journals


def _written(style: Format) -> str:
    out = io.StringIO()
    token = SERVICE.set("agents")
    try:
        with journals(style, Journal("agents", style, stream=out)):
            logging.getLogger("httpx2").info("HTTP Request: GET http://h/sse/")
            logging.getLogger("uvicorn.access").info(
                '%s - "%s %s HTTP/%s" %d', "127.0.0.1:9", "POST", "/mcp", "1.1", 404
            )
            logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)
    finally:
        SERVICE.reset(token)
    return out.getvalue()


def test_basic_is_the_format_of_the_first_customer() -> None:
    assert _written("basic") == (
        "INFO:httpx2:HTTP Request: GET http://h/sse/\n"
        'INFO:     127.0.0.1:9 - "POST /mcp HTTP/1.1" 404 Not Found\n'
        "INFO:     Started server process [7]\n"
    )


def test_asctime_carries_milliseconds() -> None:
    first = _written("asctime").splitlines()[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO httpx2: HTTP Request: GET http://h/sse/", first)


def test_json_is_one_object_a_line() -> None:
    rows = [json.loads(line) for line in _written("json").splitlines()]
    assert [row["logger"] for row in rows] == ["httpx2", "uvicorn.access", "uvicorn.error"]
    assert rows[1]["message"] == '127.0.0.1:9 - "POST /mcp HTTP/1.1" 404 Not Found'


def test_a_record_of_another_service_is_not_written() -> None:
    out = io.StringIO()
    with journals("basic", Journal("agents", "basic", stream=out)):
        logging.getLogger("httpx2").warning("somebody else's")
    assert out.getvalue() == ""


def test_a_log_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file or directory"):
        Journal("agents", "basic", path=tmp_path / "missing" / "demo.log")
