"""The one place for the processes of a load: started, made ready, set off together, heard, stopped, and missed."""

import contextlib
import os
import selectors
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO

from woolly_mcpdiag.core.errors import ExitCode, McpdiagError
from woolly_mcpdiag.load.contract import Share
from woolly_mcpdiag.load.kernel import now
from woolly_mcpdiag.load.plan import Plan
from woolly_mcpdiag.load.schedule import shares, total_time
from woolly_mcpdiag.load.travel import Snapshot, Task, Word, read_error, read_snapshot, task_line

ENGINES = {"wire": "woolly_mcpdiag.load.engine:factory", "": "woolly_mcpdiag.load.tasks:factory"}
"""Client → what makes its engine; "" is for all others."""
MODULE = "woolly_mcpdiag.load"
READY = 30.0
"""Seconds until all processes must be ready."""
SILENT = 30.0
"""Seconds without a word after which a running process is given up; it reports once a second."""
_LEAD = 0.05
"""Seconds from the last process being ready to the common start."""
_GRACE = 5.0
"""Seconds that a process has to end when its drain is over."""
_CHUNK = 1 << 20
_ROOT = Path(__file__).parent.parent.parent
Said = tuple[Word, str]


class ProcessError(McpdiagError):
    """A load process that could not begin."""

    exit_code = ExitCode.BUG


@dataclass(slots=True)
class Member:
    """One process of a crew."""

    number: int
    process: subprocess.Popen[bytes]
    errors: IO[bytes]
    heard: float
    unread: bytearray = field(default_factory=bytearray)
    ready: bool = False
    ended: bool = False
    """It has said all it had to say."""
    lost: str = ""
    """How it died before that."""
    snapshot: Snapshot | None = None
    """The last that it told."""

    @property
    def over(self) -> bool:
        """True where nothing more will come from it."""
        return self.ended or bool(self.lost)


class Crew:
    """The processes that do one plan."""

    def __init__(self, plan: Plan, *, wall: float, source: str = "") -> None:
        """Start them. ``wall`` and ``source`` are those of ``load.travel.Task``."""
        self.plan = plan
        self.members: list[Member] = []
        self.start = 0.0
        """The common instant."""
        self._deadline: float | None = None
        self._selector = selectors.DefaultSelector()
        of = shares(plan)
        engine = ENGINES.get(plan.client, ENGINES[""])
        try:
            for number in range(of):
                task = Task(plan=plan, share=Share(number, of), wall=wall, engine=engine, source=source)
                self._begin(number, task_line(task))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def ready(self, stopped: Callable[[], bool]) -> bool:
        """Wait until every process is; False where ``stopped`` says so meanwhile.

        Raises the ``McpdiagError`` that an engine could not be prepared for, ``ProcessError`` where one died.
        """
        until = now() + READY
        while not all(member.ready for member in self.members):
            for _ in self.hear(0.05):
                pass
            lost = next((member for member in self.members if member.lost), None)
            if lost is not None or now() > until:
                why = lost.lost if lost is not None else f"not ready within {READY:.0f} s"
                message = f"load process {why}"
                raise ProcessError(message, "run it again; with --processes 1 if the machine is small")
            if stopped():
                return False
        return True

    def go(self) -> float:
        """Set them off and return the common instant."""
        self.start = now() + _LEAD
        for member in self.members:
            member.heard = self.start
            self._tell(member, f"go {self.start!r}")
        total = total_time(self.plan.model)
        self._deadline = None if total is None else self.start + total + self.plan.limits.drain + 2 * _GRACE
        return self.start

    def stop(self) -> None:
        """Ask them to start nothing more."""
        for member in self.members:
            self._tell(member, "stop")
        until = now() + self.plan.limits.drain + _GRACE
        self._deadline = until if self._deadline is None else min(until, self._deadline)

    @property
    def over(self) -> bool:
        """True once nothing more will come from any of them."""
        return all(member.over for member in self.members)

    def hear(self, timeout: float) -> Iterator[Said]:
        """Yield the events and samples that come within so many seconds; keep snapshots and who is lost.

        Raises the ``McpdiagError`` that a process tells.
        """
        for key, _ in self._selector.select(timeout):
            member: Member = key.data
            chunk = os.read(key.fd, _CHUNK)
            member.heard = now()
            if not chunk:
                self._gone(member)
                continue
            member.unread += chunk
            if b"\n" in chunk:
                *lines, rest = member.unread.split(b"\n")
                member.unread = rest
                yield from self._understood(member, lines)
        self._give_up()

    def snapshots(self) -> list[Snapshot]:
        """Return the last snapshot of each, of lost ones too."""
        return [member.snapshot for member in self.members if member.snapshot is not None]

    def lost(self) -> list[str]:
        """Return how those died that did not end."""
        return [member.lost for member in self.members if member.lost]

    def close(self) -> None:
        """End what still runs, at once."""
        for member in self.members:
            if member.process.poll() is None:
                if not member.over:
                    member.process.kill()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    member.process.wait(_GRACE)
                if member.process.poll() is None:
                    member.process.kill()
                    member.process.wait()
            for stream in (member.process.stdin, member.process.stdout, member.errors):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()
        self._selector.close()

    def _begin(self, number: int, line: str) -> None:
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the crew
        path = os.pathsep.join(part for part in (str(_ROOT), os.environ.get("PYTHONPATH", "")) if part)
        process = subprocess.Popen(  # noqa: S603 - our own module
            # Without -P the working directory would come first among the places to import from.
            [sys.executable, "-P", "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, "PYTHONPATH": path},
            # A Ctrl-C of the terminal then reaches this process alone.
            process_group=0 if os.name == "posix" else None,
        )
        member = Member(number=number, process=process, errors=errors, heard=now())
        self.members.append(member)
        if process.stdout is not None:
            self._selector.register(process.stdout, selectors.EVENT_READ, member)
        self._tell(member, line)

    @staticmethod
    def _tell(member: Member, line: str) -> None:
        stream = member.process.stdin
        if stream is None or member.over:
            return
        # One that has died meanwhile is noticed when it is heard.
        with contextlib.suppress(OSError):
            stream.write(line.encode() + b"\n")
            stream.flush()

    @staticmethod
    def _understood(member: Member, lines: Sequence[bytearray]) -> Iterator[Said]:
        for line in lines:
            word, said = Word(line[:1].decode()), line[2:].decode("utf-8", "replace")
            match word:
                case Word.READY:
                    member.ready = True
                case Word.SNAPSHOT | Word.END:
                    member.snapshot = read_snapshot(said)
                    member.ended = word is Word.END
                case Word.ERROR:
                    raise read_error(said)
                case _:
                    yield word, said

    def _gone(self, member: Member) -> None:
        if member.process.stdout is not None:
            self._selector.unregister(member.process.stdout)
        if not member.ended and not member.lost:
            code = member.process.wait()
            how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
            self._lose(member, f"{how}{_last_words(member.errors)}")

    def _give_up(self) -> None:
        at = now()
        for member in self.members:
            if member.over or not self.start:
                continue
            if self._deadline is not None and at > self._deadline:
                why = f"did not end within {self.plan.limits.drain + _GRACE:.0f} s of the end"
            elif at - member.heard > SILENT:
                why = f"said nothing for {SILENT:.0f} s"
            else:
                continue
            self._lose(member, why)
            member.process.kill()

    def _lose(self, member: Member, why: str) -> None:
        member.lost = f"{member.number + 1} of {len(self.members)} {why}"


def _last_words(errors: IO[bytes]) -> str:
    """Return the last line that a process wrote to its standard error."""
    size = errors.seek(0, os.SEEK_END)
    errors.seek(max(0, size - 2000))
    lines = [line.strip() for line in errors.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return f": {lines[-1][:200]}" if lines else ""
