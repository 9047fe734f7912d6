#!/usr/bin/env python3
"""The log scanner alone, without diagnosis: ``python benchmarks/logs_scan.py FILE [WORKERS]`` prints rows and lines."""

import os
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from woolly_mcpdiag.logs.batch import Tally, Vocabulary
from woolly_mcpdiag.logs.lines import LineEngine
from woolly_mcpdiag.logs.scan.read import read


def main() -> None:
    """Read the file named on the command line."""
    path, workers = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    vocabulary = Vocabulary()
    engine = LineEngine(vocabulary, path.name)
    rows, total = 0, Tally()
    for batch, tally in read(path, engine, vocabulary, name=path.name, workers=workers):
        rows += len(batch)
        total.add(tally)
    print(rows, total)


if __name__ == "__main__":
    main()
