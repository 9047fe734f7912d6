import pytest

from woolly_mcpdiag.diagnose.count import Count


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 calls were, they"), (1, "1 call was, it"), (2, "2 calls were, they"), (11, "11 calls were, they")],
)
def test_a_number_agrees_with_its_words(count, said):
    assert f"{Count(count):call was|calls were}, {Count(count):~it|they}" == said


def test_a_number_without_words_is_a_number():
    assert f"{Count(3)} {Count(1234):,}" == "3 1,234"
