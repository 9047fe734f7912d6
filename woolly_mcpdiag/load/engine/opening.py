"""The one way in which a connection comes to be: name, address after address, TLS; each step timed."""

import errno
import os
import socket
import ssl
from collections.abc import Callable
from time import monotonic

from woolly_mcpdiag.load.contract import Recorder
from woolly_mcpdiag.load.engine import failure
from woolly_mcpdiag.load.engine.failure import Failure
from woolly_mcpdiag.load.engine.loop import READ, WRITE, Loop
from woolly_mcpdiag.load.engine.place import Place

Opened = Callable[[socket.socket | None, Failure | None], None]
"""Takes the open socket, registered with the loop for reading, or why there is none."""
_THERE = {0, errno.EISCONN}
_UNDER_WAY = {*_THERE, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY}
_KIND = socket.SOCK_STREAM | getattr(socket, "SOCK_NONBLOCK", 0)


class Opening:
    """One attempt to connect. ``then`` is called once, never from within ``begin``, unless it is given up."""

    __slots__ = ("_begun", "_limit", "_loop", "_place", "_recorder", "_sock", "_then", "_untried", "deadline")

    def __init__(self, loop: Loop, place: Place, recorder: Recorder, limit: float, then: Opened) -> None:
        self._loop = loop
        self._place = place
        self._recorder = recorder
        self._limit = limit
        self._then: Opened | None = then
        self._sock: socket.socket | None = None
        self._begun = monotonic()
        self.deadline = self._begun + limit

    def begin(self) -> None:
        """Resolve the name and dial."""
        place, recorder = self._place, self._recorder
        self._loop.watched[self] = None
        try:
            place.resolve()
        except OSError as problem:
            recorder.phase("dns", monotonic() - self._begun, failed=True)
            self._later(failure.unconnected(problem, "dns"))
            return
        if place.resolving is not None:
            recorder.phase("dns", place.resolving)
            place.resolving = None
        self._untried = list(place.addresses)
        self._dial(None)

    def give_up(self) -> None:
        """Forget it; nobody is told."""
        self._then = None
        self._drop()
        self._loop.watched.pop(self, None)

    def expire(self, now: float) -> None:
        """Its time is over."""
        phase = "tls" if isinstance(self._sock, ssl.SSLSocket) else "connect"
        self._recorder.phase(phase, now - self._begun, failed=True)
        self._fail(failure.late("ConnectTimeout", self._limit, phase))

    def _later(self, why: Failure) -> None:
        self._loop.soon(lambda: self._fail(why))

    def _fail(self, why: Failure) -> None:
        then = self._then
        self.give_up()
        if then is not None:
            then(None, why)

    def _succeed(self) -> None:
        then, sock = self._then, self._sock
        self._then = self._sock = None
        self._loop.watched.pop(self, None)
        if then is not None:
            then(sock, None)

    def _drop(self) -> None:
        sock, self._sock = self._sock, None
        if sock is not None:
            self._loop.remove(sock.fileno())
            sock.close()

    def _dial(self, problem: OSError | None) -> None:
        while self._untried:
            family, address = self._untried[0]
            try:
                sock = socket.socket(family, _KIND, socket.IPPROTO_TCP)
            except OSError as error:
                problem = error
                break
            if _KIND == socket.SOCK_STREAM:
                sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            code = sock.connect_ex(address)
            if code in _UNDER_WAY:
                # On the loopback all is done by now, which only a second look tells.
                code = sock.connect_ex(address)
            if code in _UNDER_WAY:
                self._sock = sock
                if code in _THERE:
                    self._connected()
                    self._loop.add(sock.fileno(), _nothing)
                    self._loop.soon(self._go_on)
                else:
                    self._loop.add(sock.fileno(), self._dialled, WRITE)
                return
            sock.close()
            problem = OSError(code, os.strerror(code))
            self._untried.pop(0)
        self._recorder.phase("connect", monotonic() - self._begun, failed=True)
        self._later(failure.unconnected(problem or OSError("no address"), "connect"))

    def _dialled(self, mask: int) -> None:
        sock = self._sock
        if sock is None or not mask & ~READ:
            return
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._drop()
            self._untried.pop(0)
            self._dial(OSError(code, os.strerror(code)))
            return
        self._connected()
        self._loop.change(sock.fileno(), READ)
        self._go_on()

    def _connected(self) -> None:
        self._place.prefer(self._untried[0])
        now = monotonic()
        self._recorder.phase("connect", now - self._begun)
        self._begun = now

    def _go_on(self) -> None:
        sock, tls = self._sock, self._place.tls
        if sock is None:
            return
        if tls is None:
            self._succeed()
        else:
            self._secure(sock, tls)

    def _secure(self, sock: socket.socket, tls: ssl.SSLContext) -> None:
        self._loop.remove(sock.fileno())
        try:
            self._sock = tls.wrap_socket(sock, do_handshake_on_connect=False, server_hostname=self._place.host)
        except (OSError, ValueError) as problem:
            self._insecure(problem if isinstance(problem, OSError) else OSError(str(problem)))
            return
        self._loop.add(self._sock.fileno(), self._shake, WRITE)

    def _shake(self, _mask: int) -> None:
        sock = self._sock
        if not isinstance(sock, ssl.SSLSocket):
            return
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            self._loop.change(sock.fileno(), READ)
        except ssl.SSLWantWriteError:
            self._loop.change(sock.fileno(), WRITE)
        except OSError as problem:
            self._insecure(problem)
        else:
            self._recorder.phase("tls", monotonic() - self._begun)
            self._loop.change(sock.fileno(), READ)
            self._succeed()

    def _insecure(self, problem: OSError) -> None:
        self._recorder.phase("tls", monotonic() - self._begun, failed=True)
        self._fail(failure.unconnected(problem, "tls"))


def _nothing(_mask: int) -> None:
    return


def is_open(sock: socket.socket | None) -> bool:
    """Say whether the peer of an idle connection has left it open; of TLS only the loop can tell."""
    if sock is None or isinstance(sock, ssl.SSLSocket):
        return sock is not None
    try:
        sock.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
