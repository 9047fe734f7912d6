#!/usr/bin/env python3
# ruff: noqa: E501, S608
"""How fast logs are read, beside other programs: interleaved runs, medians, one Markdown table.

    python benchmarks/logs_speed.py --megabytes 300 --runs 5

Each file is made anew (``logs_generate.py``), read once to have it in the page cache, then every program reads it once a
round. Wall is what a user waits, CPU is user and system time of the program and its workers, RSS the most that any one
process of it had. Programs that are not installed are left out with a note.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
CASES = (("std", 0.7), ("std", 0.1), ("json", 0.7), ("compose", 0.7), ("combined", 0.01))

LNAV_READS = ("std", "combined")
"""Formats in which lnav finds records; of the others it counts none, so a ratio would compare different work."""


@dataclass(slots=True)
class Program:
    """One command line and what was measured of it."""

    name: str
    command: list[str]
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)


def run(program: Program) -> None:
    """Run once; raises ``CalledProcessError`` where the program fails other than by finding something."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begun = time.perf_counter()
    with Path(os.devnull).open("r+b") as nothing:
        process = subprocess.Popen(program.command, stdin=nothing, stdout=nothing, stderr=nothing, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
    program.wall.append(time.perf_counter() - begun)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, 1, 3}:
        raise subprocess.CalledProcessError(process.returncode, program.command)
    program.cpu.append(usage.ru_utime + usage.ru_stime)
    program.memory.append(usage.ru_maxrss / 1024)


def programs(path: Path, form: str, *, analysis: bool) -> list[Program]:
    """Return what reads a file of that format, ours last."""
    rg = [Program("rg -c, a literal", ["rg", "-c", "HTTP/1.1 400", str(path)])]
    lnav_table = "access_log" if form == "combined" else "all_logs"
    lnav = [Program("lnav -n, count of lines", ["lnav", "-n", "-c", f";SELECT count(*) FROM {lnav_table}", str(path)])]
    goaccess = [
        Program(
            "goaccess", ["goaccess", str(path), "--log-format=COMBINED", "--no-progress", "-o", f"{path}.report.json"]
        )
    ]
    peers = [Program("wc -l", ["wc", "-l", str(path)]), *rg, *lnav, *(goaccess if form == "combined" else [])]
    ours = []
    for workers in ("1", "2"):
        ours.append(
            Program(f"scanner alone, {workers}", [sys.executable, str(HERE / "logs_scan.py"), str(path), workers])
        )
        if analysis:
            command = [sys.executable, "-m", "woolly_mcpdiag", "analyze-logs", str(path), "--workers", workers]
            ours.append(Program(f"mcpdiag analyze-logs, {workers}", command))
    known = []
    for peer in peers:
        if shutil.which(peer.command[0]):
            known.append(peer)
        else:
            print(f"{peer.command[0]} is not installed: left out", file=sys.stderr)
    return known + ours


def table(title: str, size: float, measured: list[Program], *, lnav_reads: bool) -> str:
    """Return the Markdown table of one file; a ratio to lnav only where lnav knows the format."""
    walls = (statistics.median(one.wall) for one in measured if one.name.startswith("lnav"))
    lnav = next(walls, None) if lnav_reads else None
    rows = [
        f"**{title}**, {size:.0f} MB",
        "",
        "| | wall s | MB/s | CPU s | RSS MB | lnav's wall / its wall |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for one in measured:
        wall = statistics.median(one.wall)
        ratio = f"{lnav / wall:.1f}" if lnav else "–"
        rows.append(
            f"| {one.name} | {wall:.2f} | {size / wall:.0f} | {statistics.median(one.cpu):.2f} | {max(one.memory):.0f} | {ratio} |"
        )
    return "\n".join(rows)


def main() -> None:
    """Measure every case and print its table."""
    parser = argparse.ArgumentParser(description="Measure how fast logs are read.")
    parser.add_argument("--megabytes", type=float, default=300)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", help="one format: std, json, compose, combined")
    parser.add_argument("--no-analysis", action="store_true", help="the scanner alone, without mcpdiag analyze-logs")
    chosen = parser.parse_args()
    print(
        f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, medians of {chosen.runs} interleaved runs, page cache warm\n"
    )
    for form, noise in CASES:
        if chosen.only and form != chosen.only:
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{form}.log"
            make = [sys.executable, str(HERE / "logs_generate.py"), "--megabytes", str(chosen.megabytes)]
            subprocess.run(
                [*make, "--format", form, "--noise", str(noise), "--out", str(path)],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            measured = programs(path, form, analysis=not chosen.no_analysis)
            for _ in range(chosen.runs):
                for one in measured:
                    run(one)
            print(
                table(f"{form}, {noise:.0%} noise", path.stat().st_size / 1e6, measured, lnav_reads=form in LNAV_READS),
                end="\n\n",
                flush=True,
            )


if __name__ == "__main__":
    main()
