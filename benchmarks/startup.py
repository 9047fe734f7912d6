#!/usr/bin/env python3
# ruff: noqa: E501
"""What starting costs: CPU of ``mcpdiag --help`` and the wall of ``analyze-logs`` on a file of 1 MB; medians.

python benchmarks/startup.py
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
RUNS = 9
sys.path.insert(0, str(HERE))

from logs_speed import Program, run  # noqa: E402


def main() -> None:
    """Measure and print a table."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "app.log"
        make = [sys.executable, str(HERE / "logs_generate.py"), "--megabytes", "1", "--out", str(path)]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
        module = [sys.executable, "-m", "woolly_mcpdiag"]
        measured = [
            Program("python -c pass", [sys.executable, "-c", "pass"]),
            Program("mcpdiag --help", [*module, "--help"]),
            Program("mcpdiag analyze-logs, 1 MB", [*module, "analyze-logs", str(path)]),
        ]
        for one in measured:
            run(one)  # once for the bytecode
            one.wall.clear(), one.cpu.clear()
        for _ in range(RUNS):
            for one in measured:
                run(one)
    print("| | wall s | CPU s | RSS MB |\n|---|--:|--:|--:|")
    for one in measured:
        print(
            f"| {one.name} | {statistics.median(one.wall):.2f} | {statistics.median(one.cpu):.2f} | {max(one.memory):.0f} |"
        )


if __name__ == "__main__":
    main()
