"""A small real engine for tests of the frame: one line to a loopback server is a call, one line back is its answer.

What it is to do besides is told by the tool's name: ``die`` kills its own process at the 20th call, ``refuse`` cannot
be prepared, ``raise`` fails at the 5th call.
"""

import os
import signal
import socket
import time
from urllib.parse import urlsplit

from woolly_mcpdiag.core.errors import TargetAwayError
from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.core.measures import Outcome
from woolly_mcpdiag.load.contract import Done, Exchanged, Recorder, Share, Tick
from woolly_mcpdiag.load.kernel import now
from woolly_mcpdiag.load.plan import Plan
from woolly_mcpdiag.load.schedule import arrivals, budget, picks, users

NAME = "line_engine:factory"


def factory(plan: Plan, share: Share, recorder: Recorder) -> "LineEngine":
    return LineEngine(plan, share, recorder)


class LineEngine:
    def __init__(self, plan: Plan, share: Share, recorder: Recorder) -> None:
        self.plan, self.share, self.recorder = plan, share, recorder
        self.tool = plan.calls[0].name
        self.made = 0
        self.picks = picks(plan, share)

    def prepare(self) -> None:
        if self.tool == "refuse":
            message = "target: is away"
            raise TargetAwayError(message, "start it")

    def run(self, start: float, tick: Tick) -> None:
        self.tick = tick
        self.wait(start)
        place = urlsplit(self.plan.mcp.at.url)
        with socket.create_connection((place.hostname, place.port)) as connection:
            self.answers = connection.makefile("rb")
            self.connection = connection
            self.recorder.phase("connect", now() - start)
            self.recorder.event(Event(kind="session.opened", time=self.recorder.wall(start), session=self.session))
            self.recorder.count("sessions_opened")
            {"open": self.open, "closed": self.closed}[self.plan.model.kind](start)

    @property
    def session(self) -> str:
        return f"{self.share.number:032x}"

    def open(self, start: float) -> None:
        for offset in arrivals(self.plan.model, self.share):
            if not self.wait(start + offset):
                return
            self.recorder.late(now() - start - offset)
            self.call(start + offset)

    def closed(self, start: float) -> None:
        left = budget(self.plan.model, self.share)
        while self.tick() and left != 0:
            for _ in range(users(self.plan.model, self.share, now() - start)):
                if left == 0:
                    return
                left = None if left is None else left - 1
                self.call(None)

    def wait(self, until: float) -> bool:
        while (rest := until - now()) > 0:
            time.sleep(min(rest, 0.1))
            if not self.tick():
                return False
        return self.tick()

    def call(self, scheduled: float | None) -> None:
        self.made += 1
        if self.tool == "die" and self.made == 20 and self.share.number == 0:
            # As one that was killed would: without a last word.
            self.tick()
            os.kill(os.getpid(), signal.SIGKILL)
        if self.tool == "raise" and self.made == 5:
            message = "five is too much"
            raise ArithmeticError(message)
        spec, sent = next(self.picks), now()
        self.recorder.started()
        self.connection.sendall(b"call\n")
        status, _, body = self.answers.readline().decode().strip().partition(" ")
        ended = now()
        exchange = Exchanged(
            kind="mcp",
            method="POST",
            url=self.plan.mcp.at.url,
            at=sent,
            took=ended - sent,
            status=int(status),
            rpc="tools/call",
            session=self.session,
            body=body if int(status) >= 400 else "",
            request="POST /mcp\nAuthorization: Bearer opensesame-77",
            response=f"{status}\n{body}" if int(status) >= 400 else "",
        )
        if int(status) == 200 and not self.recorder.detailed:
            self.recorder.answered("mcp", 200)
            self.recorder.quick(spec, ended - (scheduled or sent), ended - sent, 0.0)
            return
        self.recorder.exchanged(exchange)
        good = int(status) == 200
        self.recorder.done(
            Done(
                spec=spec,
                outcome=Outcome() if good else Outcome("http", int(status)),
                scheduled=scheduled or sent,
                sent=sent,
                ended=ended,
                session=self.session,
                error="" if good else body,
            )
        )
