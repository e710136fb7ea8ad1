"""What callbacks' links are signed with, and what a second on a GPU costs, as a process is told it."""

import pytest

from millrace.domain.configuration import read_config
from millrace.env import Env
from millrace.errors import ConfigurationInvalid

NEW, OLD = "n" * 32, "o" * 40


def read(**variables):
    return read_config({"DATABASE_URL": "sqlite:///var/millrace.db", **variables})


def keys_of(**variables):
    return Env.from_variables({"DATABASE_URL": "sqlite:///var/millrace.db", **variables}).CALLBACK_KEYS()


def test_one_key_or_two_are_told_and_the_first_signs():
    assert keys_of(CALLBACK_KEYS=NEW) == (NEW.encode(),)
    assert keys_of(CALLBACK_KEYS=f"{NEW}, {OLD}") == (NEW.encode(), OLD.encode())


@pytest.mark.parametrize("value", ["short", f"{NEW},short", f"{NEW},{OLD},{NEW}", f"{NEW},"])
def test_what_is_too_short_or_too_many_is_refused_without_being_told(value):
    with pytest.raises(ConfigurationInvalid, match="CALLBACK_KEYS must be") as refused:
        read(CALLBACK_KEYS=value)

    assert NEW not in str(refused.value)


@pytest.mark.parametrize(
    "more", [{"CALLBACK_KEYS_SECRET": "arn:of:them"}, {"AWS_LAMBDA_FUNCTION_NAME": "gpu_callback"}]
)
def test_keys_themselves_are_for_a_machine_of_ones_own(more):
    with pytest.raises(ConfigurationInvalid, match="CALLBACK_KEYS "):
        read(CALLBACK_KEYS=NEW, **more)


def test_without_keys_nothing_is_signed():
    with pytest.raises(ConfigurationInvalid, match="CALLBACK_KEYS_SECRET is missing"):
        keys_of()


def test_a_configuration_that_is_logged_holds_no_key():
    assert NEW not in repr(read(CALLBACK_KEYS=NEW))


@pytest.mark.parametrize(("dollars", "microusd"), [("", 0), ("0", 0), ("0.00044", 440), ("1.5", 1_500_000)])
def test_a_second_on_a_gpu_has_a_price(dollars, microusd):
    assert read(GPU_PRICE=dollars).gpu_second_microusd == microusd


@pytest.mark.parametrize("dollars", ["cheap", "-1", ".5", "0.0000001", "1,5"])
def test_a_price_that_makes_no_sense_is_refused(dollars):
    with pytest.raises(ConfigurationInvalid, match="GPU_PRICE"):
        read(GPU_PRICE=dollars)
