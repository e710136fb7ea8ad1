"""What the links of callbacks are signed with, as a process is told it."""

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


def test_keys_and_a_secret_that_holds_them_exclude_each_other():
    with pytest.raises(ConfigurationInvalid, match="CALLBACK_KEYS "):
        read(CALLBACK_KEYS=NEW, CALLBACK_KEYS_SECRET="arn:of:them")


def test_without_keys_nothing_is_signed():
    with pytest.raises(ConfigurationInvalid, match="CALLBACK_KEYS_SECRET is missing"):
        keys_of()


def test_a_configuration_that_is_logged_holds_no_key():
    assert NEW not in repr(read(CALLBACK_KEYS=NEW))
