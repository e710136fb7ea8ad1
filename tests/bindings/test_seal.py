"""What is sealed opens with its key and in its context, whether the key is in KMS or in a file."""

import stat
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from moto import mock_aws

from millrace.bindings.seal import MOST_BYTES, KeyFileSeal, KmsSeal
from millrace.domain.sealing import integration_context
from millrace.env import Config, Env
from millrace.errors import ConfigurationInvalid, SealBroken, SealUnavailable, ValueNotStorable

PLAIN = "a key to their CRM, größer"
CONTEXT = integration_context("crm_1", tenant_id="tenant_a")


@pytest.fixture(params=["kms", "file"])
def seal(request, tmp_path):
    if request.param == "file":
        yield KeyFileSeal(tmp_path / "kept" / "seal.key")
        return
    with mock_aws():
        yield KmsSeal(boto3.client("kms").create_key()["KeyMetadata"]["Arn"])


def changed(sealed):
    """The same text with one bit of its last byte turned."""
    prefix, _, content = sealed.rpartition(":")
    turned = bytearray(b64decode(content))
    turned[-1] ^= 1
    return f"{prefix}:{b64encode(turned).decode()}"


def test_what_was_sealed_is_opened_in_the_same_context(seal):
    sealed = seal.seal(PLAIN, context=CONTEXT)

    assert sealed.startswith("sealed:")
    assert PLAIN not in sealed
    assert seal.open(sealed, context=dict(reversed(CONTEXT.items()))) == PLAIN


def test_the_same_text_is_never_sealed_alike(seal):
    assert seal.seal(PLAIN, context=CONTEXT) != seal.seal(PLAIN, context=CONTEXT)


@pytest.mark.parametrize(
    "elsewhere",
    [
        integration_context("crm_1", tenant_id="tenant_b"),
        integration_context("crm_2", tenant_id="tenant_a"),
        {},
    ],
)
def test_moved_to_another_tenant_or_row_it_does_not_open(seal, elsewhere):
    sealed = seal.seal(PLAIN, context=CONTEXT)

    with pytest.raises(SealBroken):
        seal.open(sealed, context=elsewhere)


def test_what_was_changed_or_never_sealed_does_not_open(seal):
    sealed = seal.seal(PLAIN, context=CONTEXT)

    for text in (changed(sealed), sealed[:-8], f"{sealed}!", PLAIN, "sealed:other:AAAA"):
        with pytest.raises(SealBroken):
            seal.open(text, context=CONTEXT)


@pytest.mark.parametrize("plain", ["", "x" * (MOST_BYTES + 1)])
def test_nothing_and_too_much_are_not_sealed(seal, plain):
    with pytest.raises(ValueNotStorable, match="4096"):
        seal.seal(plain, context=CONTEXT)


def test_as_much_as_may_be_is_sealed(seal):
    plain = "x" * MOST_BYTES

    assert seal.open(seal.seal(plain, context=CONTEXT), context=CONTEXT) == plain


def test_a_kms_that_cannot_be_had_is_no_broken_seal():
    with mock_aws():
        missing = KmsSeal("alias/nobody-made-it")

        with pytest.raises(SealUnavailable):
            missing.seal(PLAIN, context=CONTEXT)


def test_the_key_file_is_made_once_and_for_its_owner_alone(tmp_path):
    path = tmp_path / "seal.key"
    seals = [KeyFileSeal(path) for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(lambda seal: seal.seal(PLAIN, context=CONTEXT), seals))

    assert {KeyFileSeal(path).open(text, context=CONTEXT) for text in sealed} == {PLAIN}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [None, "", "not hexadecimal", "ab"])
def test_without_its_key_file_nothing_is_opened_and_no_new_key_is_made(tmp_path, content):
    path = tmp_path / "seal.key"
    sealed = KeyFileSeal(path).seal(PLAIN, context=CONTEXT)
    path.unlink()
    if content is not None:
        path.write_text(content)

    with pytest.raises(SealUnavailable):
        KeyFileSeal(path).open(sealed, context=CONTEXT)
    assert path.exists() == (content is not None)


def test_env_has_the_seal_that_is_configured(tmp_path):
    def seal_of(key):
        return Env(Config(database_url="sqlite:///var/millrace.db", seal_key=key)).SEAL

    assert isinstance(seal_of("kms:alias/millrace"), KmsSeal)
    assert isinstance(seal_of(f"file://{tmp_path}/seal.key"), KeyFileSeal)
    with pytest.raises(ConfigurationInvalid, match="SEAL_KEY"):
        seal_of(None)
