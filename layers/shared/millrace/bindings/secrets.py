"""Passwords and keys that are not configured but asked for when they are needed."""

import json
import threading
from collections.abc import Callable
from typing import Any

from millrace.bindings.aws import LateClient
from millrace.bindings.stopwatch import Deadline
from millrace.domain.model_access import PRINTABLE, Key
from millrace.errors import ConfigurationInvalid, DatabaseUnavailable, MillraceError, ModelUnavailable

# Long enough that a burst of connections asks once, short enough that a rotated password is soon known.
KEPT_SECONDS = 60


class KeptSecret:
    """Call it for a secret in Secrets Manager: its text, or `field` in its JSON. It is kept for a minute.

    `variable` has named it. `unavailable` makes what is raised when it cannot be had, of the cause.
    """

    def __init__(
        self, secret_id: str, *, field: str, variable: str, unavailable: Callable[[str], MillraceError]
    ):
        self._secret_id = secret_id
        self._field = field
        self._variable = variable
        self._unavailable = unavailable
        self._client = LateClient(
            "secretsmanager", connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2}
        )
        self._asking = threading.Lock()
        self._text = ""
        self._kept = Deadline(0)

    def __call__(self) -> str:
        with self._asking:
            if self._kept.is_over:
                self._text = text_in(self._ask(), field=self._field, variable=self._variable)
                self._kept = Deadline(KEPT_SECONDS)
            return self._text

    def forget(self) -> None:
        """It has been refused, so it is asked for anew."""
        self._kept = Deadline(0)

    def _ask(self) -> str:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return str(self._client().get_secret_value(SecretId=self._secret_id).get("SecretString", ""))
        except (BotoCoreError, ClientError) as error:
            raise self._unavailable(type(error).__name__) from error


def text_in(secret: str, *, field: str, variable: str) -> str:
    """RDS keeps a JSON object, a person may have kept the bare text."""
    if not secret.lstrip().startswith("{"):
        return secret
    try:
        return str(json.loads(secret)[field])
    except (ValueError, KeyError):
        # Not "from" the cause, which would carry the secret into the log.
        raise ConfigurationInvalid(f"{variable} names a secret without `{field}`") from None


class SecretPassword(KeptSecret):
    """Call it for the password in a Secrets Manager secret: its text, or `password` in its JSON."""

    def __init__(self, secret_id: str):
        super().__init__(
            secret_id,
            field="password",
            variable="DATABASE_PASSWORD_SECRET",
            unavailable=lambda cause: DatabaseUnavailable(cause=f"password: {cause}"),
        )


def model_unavailable(cause: str) -> ModelUnavailable:
    return ModelUnavailable(f"The key of the model's provider is not to be had: {cause}.")


class ApiKey:
    """Call it for the key of a provider: the one configured, or the secret that was named."""

    def __init__(self, key: Key, *, unavailable: Callable[[str], MillraceError] = model_unavailable):
        self._key = key
        self._secret = KeptSecret(
            key.secret_id or "", field="api_key", variable=key.variable, unavailable=unavailable
        )

    def __call__(self) -> str:
        key = (self._secret() if self._key.value is None else self._key.value).strip()
        # Anything else cannot stand in a header, and the fault that said so would quote it.
        if not PRINTABLE.fullmatch(key):
            raise ConfigurationInvalid(f"{self._key.variable} holds no key, which is one word of plain signs")
        return key

    def forget(self) -> None:
        self._secret.forget()


class IamToken:
    """Call it for a token that RDS takes as a password for 15 minutes. It is signed here, without a request.

    botocore's signer alone makes it: the RDS client would cost a cold start 100 ms more for the same text.
    """

    def __init__(self, host: str, *, port: int, user: str):
        self._host = host
        self._port = port
        self._user = user

    def __call__(self) -> str:
        from botocore.exceptions import BotoCoreError

        request = {
            "method": "GET",
            "url": f"https://{self._host}:{self._port}/",
            "body": {"Action": "connect", "DBUser": self._user},
            "headers": {},
            "context": {},
        }
        try:
            url = presign_for_rds(request)
        except BotoCoreError as error:
            raise DatabaseUnavailable(cause=f"password: {type(error).__name__}") from error
        return url.removeprefix("https://")


def presign_for_rds(request: dict[str, Any]) -> str:
    """By botocore's own signer, for the credentials and the region of this process."""
    from botocore.model import ServiceId
    from botocore.session import Session
    from botocore.signers import RequestSigner

    session = Session()
    region, credentials = session.get_config_variable("region"), session.get_credentials()
    # Kept by this name until it has signed: the signer alone would not keep it.
    emitter = session.get_component("event_emitter")
    signer = RequestSigner(ServiceId("RDS"), region, "rds-db", "v4", credentials, emitter)
    return str(signer.generate_presigned_url(request, "connect", expires_in=900))
