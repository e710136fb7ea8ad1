"""Passwords for PostgreSQL that are not configured but asked for, each time a connection is opened."""

import json
import threading
from typing import Any

from millrace.bindings.aws import LateClient
from millrace.bindings.stopwatch import Deadline
from millrace.errors import ConfigurationInvalid, DatabaseUnavailable

# Long enough that a burst of connections asks once, short enough that a rotated password is soon known.
KEPT_SECONDS = 60


class SecretPassword:
    """Call it for the password in a Secrets Manager secret: its text, or `password` in its JSON."""

    def __init__(self, secret_id: str):
        self._secret_id = secret_id
        self._client = LateClient(
            "secretsmanager", connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2}
        )
        self._asking = threading.Lock()
        self._password = ""
        self._kept = Deadline(0)

    def __call__(self) -> str:
        with self._asking:
            if self._kept.is_over:
                self._password = password_in(self._ask())
                self._kept = Deadline(KEPT_SECONDS)
            return self._password

    def forget(self) -> None:
        """The database has refused it, so it is asked for anew."""
        self._kept = Deadline(0)

    def _ask(self) -> str:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return str(self._client().get_secret_value(SecretId=self._secret_id).get("SecretString", ""))
        except (BotoCoreError, ClientError) as error:
            raise DatabaseUnavailable(cause=f"password: {type(error).__name__}") from error


def password_in(secret: str) -> str:
    """RDS keeps a JSON object, a person may have kept the bare password."""
    if not secret.lstrip().startswith("{"):
        return secret
    try:
        return str(json.loads(secret)["password"])
    except (ValueError, KeyError):
        # Not "from" the cause, which would carry the secret into the log.
        raise ConfigurationInvalid("DATABASE_PASSWORD_SECRET names a secret without `password`") from None


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
