"""What must be configured before a GPU can be rented, and what must not."""

import pytest

from millrace.domain.configuration import read_config
from millrace.domain.model_access import Account, Key
from millrace.errors import ConfigurationInvalid

RUNPOD = {"GPU_ENDPOINT_ID": "abc123", "GPU_KEY_SECRET": "arn:of:the:key"}
LOCAL = {"GPU_ENDPOINT_ID": "local", "GPU_KEY": "a-key", "GPU_BASE_URL": "http://127.0.0.1:8798/v2/"}


def read(variables, **more):
    return read_config({"DATABASE_URL": "sqlite:///var/millrace.db", **variables, **more}).gpu_access


def test_without_an_endpoint_there_is_no_gpu():
    assert read({}) is None
    assert read({}, GPU_ENDPOINT_ID=" ", GPU_KEY="") is None


def test_runpod_is_reached_by_its_endpoint_with_a_key():
    assert read(RUNPOD) == Account(
        "https://api.runpod.ai/v2/abc123", Key("GPU_KEY_SECRET", secret_id="arn:of:the:key")
    )


def test_the_one_on_this_machine_is_reached_by_its_address():
    assert read(LOCAL) == Account("http://127.0.0.1:8798/v2/local", Key("GPU_KEY", value="a-key"))


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"GPU_ENDPOINT_ID": "abc123"}, "GPU_KEY_SECRET is missing"),
        ({"GPU_KEY_SECRET": "arn:of:the:key"}, "GPU_ENDPOINT_ID is missing"),
        ({**RUNPOD, "GPU_ENDPOINT_ID": "../other"}, "GPU_ENDPOINT_ID must be"),
        ({**RUNPOD, "GPU_ENDPOINT_ID": "abc?"}, "GPU_ENDPOINT_ID must be"),
        ({**RUNPOD, "GPU_KEY": "a-key"}, "GPU_KEY and GPU_KEY_SECRET exclude each other"),
        ({**RUNPOD, "GPU_BASE_URL": "ftp://runpod"}, "GPU_BASE_URL must be"),
        ({**RUNPOD, "GPU_BASE_URL": "http://gpus.example/v2"}, "GPU_KEY goes to https:// addresses only"),
        ({**LOCAL, "AWS_LAMBDA_FUNCTION_NAME": "pickup"}, "GPU_KEY is for a machine of one's own"),
        ({**LOCAL, "GPU_KEY": "two words"}, "GPU_KEY must be one word"),
    ],
)
def test_what_is_missing_or_makes_no_sense_is_named(variables, said):
    with pytest.raises(ConfigurationInvalid, match=said):
        read(variables)


def test_no_repr_tells_the_key():
    assert "a-key" not in repr(read(LOCAL))


def price(**variables):
    return read_config({"DATABASE_URL": "sqlite:///var/millrace.db", **variables}).gpu_second_microusd


def test_a_second_on_a_gpu_has_its_price_and_without_one_it_is_free():
    assert price(GPU_PRICE="0.000306") == 306
    assert price() == 0


@pytest.mark.parametrize("value", ["-1", ".5", "a lot", "1,5", "0.0000001"])
def test_a_price_that_is_none_is_refused(value):
    with pytest.raises(ConfigurationInvalid, match="GPU_PRICE must be"):
        price(GPU_PRICE=value)
