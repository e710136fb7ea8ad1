import pytest

from millrace.domain.values import is_storable_number, is_storable_text


@pytest.mark.parametrize("text", ["", "caf\u00e9 \U0001f3e0", "\x01\ufffd", "\\u0000"])
def test_text_of_whole_characters_can_be_stored(text):
    assert is_storable_text(text)


@pytest.mark.parametrize("text", ["nul \x00", "half \ud83c", "\udfff half"])
def test_text_with_nul_or_half_a_character_cannot(text):
    assert not is_storable_text(text)


@pytest.mark.parametrize("number", [0, True, 2**63 - 1, -(2**63), 1e300, -0.0])
def test_a_number_of_64_bits_can_be_stored(number):
    assert is_storable_number(number)


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, float("nan"), float("inf"), -float("inf")])
def test_a_larger_one_or_none_at_all_cannot(number):
    assert not is_storable_number(number)
