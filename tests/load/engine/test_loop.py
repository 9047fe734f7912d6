import socket
from time import perf_counter

import pytest

from woolly_mcpdiag.load.engine.loop import WRITE, Loop


@pytest.fixture(params=[False, True], ids=["own", "portable"])
def loop(request):
    made = Loop(portable=request.param)
    yield made
    made.close()


def test_timers_are_called_in_the_order_of_their_instants(loop):
    called = []
    now = perf_counter()
    loop.at(now + 0.02, lambda: called.append("later"))
    loop.at(now + 0.01, lambda: called.append("sooner"))
    loop.at(now + 0.015, lambda: called.append("never")).cancel()
    loop.at(now + 0.03, loop.stop)
    loop.run()
    assert called == ["sooner", "later"]


def test_a_timer_set_by_a_timer_is_called(loop):
    loop.at(perf_counter(), lambda: loop.at(perf_counter() + 0.001, loop.stop))
    loop.run()


def test_who_is_ready_is_called_until_removed(loop):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        seen = []

        def read(_mask: int) -> None:
            seen.append(ours.recv(1))
            loop.remove(ours.fileno())
            loop.soon(loop.stop)

        loop.add(ours.fileno(), read)
        theirs.send(b"ab")
        loop.run()
        assert seen == [b"a"]


def test_a_descriptor_may_wait_to_be_written_to(loop):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        loop.add(ours.fileno(), lambda _mask: loop.stop(), WRITE)
        loop.run()


def test_what_is_overdue_is_told(loop):
    class Late:
        deadline = perf_counter()

        def expire(self, now: float) -> None:
            self.deadline = float("inf")
            loop.stop()

    late = Late()
    loop.watched[late] = None
    loop.run()
    assert late.deadline == float("inf")
