import numpy as np
import pytest

from woolly_mcpdiag.logs.scan.hits import _FOLLOWING, _TEXTS
from woolly_mcpdiag.logs.scan.literals import GRAIN, Literals
from woolly_mcpdiag.logs.scan.words import PAD

SAMPLE = b"2026-11-22 14:44:21,778 INFO httpx: HTTP Request: GET http://h/x 200\n" * 40
NEIGHBOURS = b" =0'x\\\n\x80\xff"


def block_of(text: bytes) -> tuple[np.ndarray, int]:
    return np.frombuffer(text + bytes(PAD), np.uint8), len(text)


@pytest.fixture(scope="module")
def literals() -> Literals:
    return Literals(_TEXTS, np.frombuffer(SAMPLE, np.uint8), following=_FOLLOWING)


@pytest.mark.parametrize("text", _TEXTS)
def test_a_text_is_found_wherever_it_lies_and_whatever_is_beside_it(literals, text):
    pieces, expected, size = [], [], 0
    for shift in range(8):
        for before in NEIGHBOURS:
            for after in _FOLLOWING.get(text, NEIGHBOURS):
                piece = b"." * shift + bytes([before]) + text + bytes([after]) * 2
                expected.append(size + shift + 1)
                pieces.append(piece)
                size += len(piece)
    data, size = block_of(b"".join(pieces))
    found = dict(literals.find(data, size, np.zeros(size // GRAIN + 2, np.bool_)))
    assert set(expected) <= set(found[literals.texts.index(text)].tolist())
    assert all(data[at : at + len(literals.texts[n])].tobytes() == literals.texts[n] for n in found for at in found[n])
