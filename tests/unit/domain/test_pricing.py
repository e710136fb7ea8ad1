"""What calls of models cost."""

import pytest

from millrace.domain.pricing import Price, read_prices

LLAMA = "@cf/meta/llama-3.2-11b-vision-instruct"


def test_prices_are_read_as_providers_write_them():
    prices = read_prices(f"{LLAMA}=0.049/0.68, bedrock/us.amazon.nova-pro-v1:0=0.8/3.2,openai/own=0/0")

    assert prices == {
        LLAMA: Price(49_000, 680_000),
        "bedrock/us.amazon.nova-pro-v1:0": Price(800_000, 3_200_000),
        "openai/own": Price(0, 0),
    }


def test_no_prices_are_no_prices():
    assert read_prices(" ") == read_prices(",") == {}


@pytest.mark.parametrize(
    "text",
    ["model", "model=1", "model=1/", "model=1/2/3", "model=-1/2", "model=1e3/2", "model=0.0000001/1",
     "model=1/2,model=1/2", "=1/2", "a model=1/2", "model=1,5/2", "model=\u0661/2"],
)  # fmt: skip
def test_what_is_no_price_is_refused(text):
    with pytest.raises(ValueError, match="price"):
        read_prices(text)


@pytest.mark.parametrize(
    ("input_tokens", "output_tokens", "cost"),
    [(0, 0, 0), (1, 0, 1), (1_000_000, 0, 49_000), (0, 1_000_000, 680_000), (2_000, 100, 166), (20, 0, 1),
     (10**12, 10**12, 729_000_000_000)],
)  # fmt: skip
def test_a_call_costs_whole_micro_dollars_rounded_up_once(input_tokens, output_tokens, cost):
    price = Price(49_000, 680_000)

    assert price.cost(input_tokens=input_tokens, output_tokens=output_tokens) == cost


def test_what_is_free_costs_nothing():
    assert Price(0, 0).cost(input_tokens=10**9, output_tokens=10**9) == 0
