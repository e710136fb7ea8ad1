import gc
import json
import socket
from unittest.mock import Mock
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.signers import RequestSigner
from moto import mock_aws
from pg8000.exceptions import DatabaseError as ServerError

from millrace.bindings import postgres, stopwatch
from millrace.bindings.postgres import PostgresDatabase
from millrace.bindings.secrets import ApiKey, IamToken, SecretPassword
from millrace.domain.model_access import Key
from millrace.env import Config, Env
from millrace.errors import ConfigurationInvalid, DatabaseUnavailable, ModelUnavailable
from tests.bindings.loopback import refusing

HOST = "millrace.cluster-example.eu-west-1.rds.amazonaws.com"


@pytest.fixture
def manager():
    with mock_aws():
        yield boto3.client("secretsmanager")


def keep(manager, secret: str) -> SecretPassword:
    return SecretPassword(manager.create_secret(Name="database", SecretString=secret)["ARN"])


@pytest.mark.parametrize(
    "secret", ["bare words", json.dumps({"username": "millrace", "password": "bare words"})]
)
def test_a_password_is_the_text_of_the_secret_or_in_its_json(manager, secret):
    assert keep(manager, secret)() == "bare words"


@pytest.mark.parametrize("secret", ['{"username": "millrace"}', "{not json"])
def test_a_secret_without_a_password_is_a_wrong_configuration_that_does_not_tell_it(manager, secret):
    with pytest.raises(ConfigurationInvalid, match="DATABASE_PASSWORD_SECRET") as refused:
        keep(manager, secret)()

    assert "millrace" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_password_is_asked_for_once_a_minute_so_that_a_rotated_one_is_soon_known(manager, monkeypatch):
    at = [1_000.0]
    monkeypatch.setattr(stopwatch, "seconds", lambda: at[0])
    password = keep(manager, "old")
    first = password()
    manager.put_secret_value(SecretId="database", SecretString="new")

    at[0] += 59
    kept = password()
    at[0] += 1
    renewed = password()

    assert (first, kept, renewed) == ("old", "old", "new")


def test_a_password_that_the_database_has_refused_is_asked_for_anew(manager, monkeypatch):
    password = keep(manager, "old")
    password()
    manager.put_secret_value(SecretId="database", SecretString="new")
    refused = ServerError({"C": "28P01"})
    monkeypatch.setattr(postgres, "Connection", Mock(side_effect=refused))

    with pytest.raises(DatabaseUnavailable) as failed:
        PostgresDatabase("postgresql://millrace_api@127.0.0.1/millrace", password=password).connect()

    assert failed.value.cause == "28P01"
    assert password() == "new"


def test_a_secret_that_cannot_be_had_means_the_database_is_unavailable(manager):
    with pytest.raises(DatabaseUnavailable) as failed:
        SecretPassword("arn:of:nothing")()

    assert failed.value.cause == "password: ResourceNotFoundException"


def test_a_secrets_manager_out_of_reach_means_the_database_is_unavailable(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", refusing())

    with pytest.raises(DatabaseUnavailable):
        SecretPassword("arn:of:nothing")()


def test_repr_hides_the_password(manager):
    password = keep(manager, "bare words")
    password()

    assert "bare" not in repr(password)


def keep_key(manager, secret: str) -> ApiKey:
    secret_id = manager.create_secret(Name="provider", SecretString=secret)["ARN"]
    return ApiKey(Key("OPENAI_API_KEY_SECRET", secret_id=secret_id))


@pytest.mark.parametrize("secret", ["a-key", " a-key\n", json.dumps({"api_key": "a-key"})])
def test_a_provider_s_key_is_the_text_of_the_secret_or_in_its_json(manager, secret):
    assert keep_key(manager, secret)() == "a-key"


def test_a_provider_s_key_may_be_configured_itself():
    assert ApiKey(Key("OPENAI_API_KEY", value="a-key"))() == "a-key"


@pytest.mark.parametrize(
    "secret", ["", "hidden key", "hidden\r\nX-Other: header", "hidd\u00e9n", '{"key": "hidden"}']
)
def test_what_is_no_key_is_a_wrong_configuration_that_does_not_tell_it(manager, secret):
    with pytest.raises(ConfigurationInvalid, match="OPENAI_API_KEY_SECRET") as refused:
        keep_key(manager, secret or " ")()

    assert "hidd" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_provider_s_key_that_was_refused_is_asked_for_anew(manager):
    key = keep_key(manager, "old")
    first = key()
    manager.put_secret_value(SecretId="provider", SecretString="new")
    kept = key()

    key.forget()

    assert (first, kept, key()) == ("old", "old", "new")


def test_a_key_that_cannot_be_had_means_the_model_is_unavailable(manager):
    with pytest.raises(ModelUnavailable, match="ResourceNotFoundException"):
        ApiKey(Key("OPENAI_API_KEY_SECRET", secret_id="arn:of:nothing"))()


def test_repr_hides_a_provider_s_key():
    assert "hidden" not in repr(ApiKey(Key("OPENAI_API_KEY", value="hidden-key")))


def test_an_iam_token_is_what_boto3_would_make():
    ours = IamToken(HOST, port=5432, user="millrace_api")
    theirs = boto3.client("rds")

    # Both are stamped with the second they were made in, which may have ended between them.
    for _ in range(10):
        token = ours()
        wanted = theirs.generate_db_auth_token(DBHostname=HOST, Port=5432, DBUsername="millrace_api")
        if token == wanted:
            break

    assert token == wanted
    parts = urlsplit(f"//{token}")
    assert parts.netloc == f"{HOST}:5432"
    assert parse_qs(parts.query)["DBUser"] == ["millrace_api"]
    assert parse_qs(parts.query)["X-Amz-Expires"] == ["900"]


def test_an_iam_token_asks_nobody(monkeypatch):
    def no_network(*_args, **_named):
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)

    assert IamToken(HOST, port=5432, user="millrace_api")().startswith(HOST)


def test_an_iam_token_is_signed_also_when_the_garbage_is_taken_out_meanwhile(monkeypatch):
    sign = RequestSigner.generate_presigned_url

    def collect_first(*given, **named):
        gc.collect()
        return sign(*given, **named)

    monkeypatch.setattr(RequestSigner, "generate_presigned_url", collect_first)

    assert IamToken(HOST, port=5432, user="millrace_api")().startswith(HOST)


def test_an_iam_token_without_credentials_means_the_database_is_unavailable(monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")

    with pytest.raises(DatabaseUnavailable):
        IamToken(HOST, port=5432, user="millrace_api")()


def test_the_configuration_chooses_how_the_password_is_had(monkeypatch):
    given = []
    monkeypatch.setattr(
        "millrace.bindings.postgres.PostgresDatabase", lambda url, **named: given.append(named) or object()
    )
    url = f"postgresql://owner@{HOST}:6432/millrace"

    for config in (
        Config(url),
        Config(url, database_password_secret="arn:of:a:secret", database_tls="off"),
        Config(url, database_iam=True, database_seconds=4),
        Config(url, database_iam=True, database_user="millrace_engine"),
    ):
        _ = Env(config).DB

    assert given[0] == {"user": None, "password": None, "tls": None, "answer_seconds": 28}
    assert isinstance(given[1]["password"], SecretPassword)
    assert given[1]["tls"] == "off"
    assert given[2]["answer_seconds"] == 4
    assert given[2]["password"]().startswith(f"{HOST}:6432/?Action=connect&DBUser=owner&")
    assert "DBUser=millrace_engine" in given[3]["password"]()
    assert given[3]["user"] == "millrace_engine"
