"""`env.SEAL`: secrets that are kept in rows. Each opens only with the key, and only in its context."""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from millrace.bindings.aws import LateClient
from millrace.domain.sealing import Sealed
from millrace.errors import SealBroken, SealUnavailable, ValueNotStorable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# What KMS takes, and so what the other takes too.
MOST_BYTES = 4_096
KEY_BYTES = 32
NONCE_BYTES = 12
# A key that is not there, a context that is not the one it was sealed in, a text that was changed.
WRONG = ("InvalidCiphertextException", "IncorrectKeyException")


class Seal(Protocol):
    """`context` is not secret and is not kept: who opens must say the same as who sealed."""

    def seal(self, plain: str, *, context: Mapping[str, str]) -> Sealed: ...

    def open(self, sealed: Sealed, *, context: Mapping[str, str]) -> str:
        """SealBroken when it was sealed elsewhere, for another context, or changed since."""
        ...


class KmsSeal:
    """A key that never leaves AWS KMS."""

    PREFIX = "sealed:kms:"

    def __init__(self, key_id: str):
        self._key_id = key_id
        self._client = LateClient("kms", connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2})

    def seal(self, plain: str, *, context: Mapping[str, str]) -> Sealed:
        answer = self._call("encrypt", Plaintext=_checked(plain), EncryptionContext=dict(context))
        return _packed(self.PREFIX, answer["CiphertextBlob"])

    def open(self, sealed: Sealed, *, context: Mapping[str, str]) -> str:
        blob = _unpacked(self.PREFIX, sealed)
        return self._call("decrypt", CiphertextBlob=blob, EncryptionContext=dict(context))[
            "Plaintext"
        ].decode()

    def _call(self, operation: str, **parameters: object) -> dict[str, bytes]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer: dict[str, bytes] = getattr(self._client(), operation)(KeyId=self._key_id, **parameters)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in WRONG:
                raise SealBroken from error
            raise SealUnavailable from error
        except BotoCoreError as error:
            raise SealUnavailable from error
        return answer


class KeyFileSeal:
    """A key in a file of this machine, made by the first seal. AES-256-GCM."""

    PREFIX = "sealed:file:"

    def __init__(self, path: str | Path):
        self._path = Path(path)

    def seal(self, plain: str, *, context: Mapping[str, str]) -> Sealed:
        content = _checked(plain)
        _make_key(self._path)
        nonce = os.urandom(NONCE_BYTES)
        return _packed(self.PREFIX, nonce + self._cipher().encrypt(nonce, content, _canonical(context)))

    def open(self, sealed: Sealed, *, context: Mapping[str, str]) -> str:
        from cryptography.exceptions import InvalidTag

        content = _unpacked(self.PREFIX, sealed)
        try:
            plain = self._cipher().decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], _canonical(context))
        except (InvalidTag, ValueError) as error:
            raise SealBroken from error
        return plain.decode()

    def _cipher(self) -> "AESGCM":
        # Not in the layer: in the cloud there is KMS.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            return AESGCM(bytes.fromhex(self._path.read_text(encoding="ascii")))
        except (OSError, ValueError) as error:
            raise SealUnavailable from error


def _make_key(path: Path) -> None:
    """Under a name of its own first, then linked: two who begin at once end with one key, and a whole one."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f"{path.name}.{os.urandom(8).hex()}")
    made.touch(mode=0o600)
    made.write_text(os.urandom(KEY_BYTES).hex(), encoding="ascii")
    try:
        path.hardlink_to(made)
    except FileExistsError:
        return
    finally:
        made.unlink()


def _checked(plain: str) -> bytes:
    content = plain.encode()
    if not 0 < len(content) <= MOST_BYTES:
        raise ValueNotStorable(f"1 to {MOST_BYTES} bytes can be sealed, not {len(content)}")
    return content


def _canonical(context: Mapping[str, str]) -> bytes:
    return json.dumps(dict(context), sort_keys=True, separators=(",", ":")).encode()


def _packed(prefix: str, content: bytes) -> Sealed:
    return Sealed(prefix + b64encode(content).decode())


def _unpacked(prefix: str, sealed: Sealed) -> bytes:
    if not sealed.startswith(prefix):
        raise SealBroken
    try:
        return b64decode(sealed.removeprefix(prefix), validate=True)
    except ValueError as error:
        raise SealBroken from error
