from datetime import UTC, datetime

import pytest

from woolly_mcpdiag.cli.moments import moment
from woolly_mcpdiag.core.errors import UsageError

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def at(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-02-28 14:30", at(2026, 2, 28, 14, 30)),
        ("2026-02-28T14:30:05.5", at(2026, 2, 28, 14, 30, 5) + 0.5),
        ("2026-02-28T14:30:00Z", at(2026, 2, 28, 14, 30)),
        ("2026-02-28T14:30:00+02:00", at(2026, 2, 28, 12, 30)),
        ("2026-02-28", at(2026, 2, 28)),
        ("11:59", at(2026, 3, 1, 11, 59)),
        ("9:05", at(2026, 3, 1, 9, 5)),
        ("9:05:30", at(2026, 3, 1, 9, 5, 30)),
        ("14:30", at(2026, 2, 28, 14, 30)),
        ("10m", at(2026, 3, 1, 11, 50)),
        ("10m ago", at(2026, 3, 1, 11, 50)),
        ("1.5h", at(2026, 3, 1, 10, 30)),
        ("90s ago", at(2026, 3, 1, 11, 58, 30)),
        ("2d", at(2026, 2, 27, 12)),
        ("1772366400", at(2026, 3, 1, 12)),
        ("1772366400.25", at(2026, 3, 1, 12) + 0.25),
    ],
)
def test_a_time_is_read_as_a_person_means_it(text: str, seconds: float):
    assert moment(text, "--since", NOW) == seconds


@pytest.mark.parametrize(
    "text", ["", "yesterday", "25:00", "2026-13-01", "10", "10 minutes", "\u0661\u0660m", "nan", "inf"]
)
def test_anything_else_is_refused_with_examples(text: str):
    with pytest.raises(UsageError, match=r"--since .*: not a time") as caught:
        moment(text, "--since", NOW)
    assert "10m ago" in caught.value.hint
