"""The keys of callbacks' links in Secrets Manager: rotated while links that were signed before still hold."""

import json

import boto3
import pytest
from moto import mock_aws

from millrace.bindings import stopwatch
from millrace.bindings.callback_keys import SecretKeys
from millrace.env import Env
from millrace.errors import ConfigurationInvalid, SecretUnavailable

NEW, OLD = "n" * 64, "o" * 64


@pytest.fixture
def manager():
    with mock_aws():
        yield boto3.client("secretsmanager")


def keep(manager, text):
    return manager.create_secret(Name="callbacks", SecretString=text)["ARN"]


@pytest.mark.parametrize("text", [OLD, json.dumps({"keys": OLD})])
def test_a_key_is_the_text_of_the_secret_or_in_its_json(manager, text):
    variables = {"DATABASE_URL": "sqlite:///nowhere.db", "CALLBACK_KEYS_SECRET": keep(manager, text)}

    assert Env.from_variables(variables).CALLBACK_KEYS() == (OLD.encode(),)


def test_a_rotated_key_is_known_within_a_minute_beside_the_one_before(manager, monkeypatch):
    at = [1_000.0]
    monkeypatch.setattr(stopwatch, "seconds", lambda: at[0])
    keys = SecretKeys(keep(manager, OLD))
    assert keys() == (OLD.encode(),)
    manager.put_secret_value(SecretId="callbacks", SecretString=f"{NEW},{OLD}")

    at[0] += 60

    assert keys() == (NEW.encode(), OLD.encode())


@pytest.mark.parametrize("text", ["short", f"{NEW},{OLD},{NEW}", '{"key": "hidden"}'])
def test_what_is_no_key_is_a_wrong_configuration_that_does_not_tell_it(manager, text):
    with pytest.raises(ConfigurationInvalid, match="CALLBACK_KEYS_SECRET") as refused:
        SecretKeys(keep(manager, text))()

    assert NEW not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_secret_that_cannot_be_had_is_said_to_be(manager):
    with pytest.raises(SecretUnavailable, match="ResourceNotFoundException"):
        SecretKeys("arn:of:nothing")()
