"""Lines in, a diagnosis out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from woolly_mcpdiag.api import analyze_logs
from woolly_mcpdiag.diagnose.engine import Diagnosis

Judge = Callable[..., Diagnosis]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Diagnose logs given as text; each becomes a file of its own."""

    def run(*texts: str) -> Diagnosis:
        paths = []
        for number, text in enumerate(texts):
            paths.append(tmp_path / f"{number}.log")
            paths[-1].write_text(text, encoding="utf-8")
        return analyze_logs(list(map(str, paths))).diagnosis

    return run
