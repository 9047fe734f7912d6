import signal

import pytest

from woolly_mcpdiag.cli.interrupt import Interrupt


def test_the_first_ctrl_c_only_asks_and_the_second_ends(capfd: pytest.CaptureFixture[str]):
    with Interrupt() as interrupt:
        assert not interrupt.asked()
        signal.raise_signal(signal.SIGINT)
        assert interrupt.asked()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert "Ctrl-C again ends at once" in capfd.readouterr().err


def test_afterwards_ctrl_c_means_what_it_meant_before():
    before = signal.getsignal(signal.SIGINT)
    with Interrupt():
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before
