"""`env.CALLBACK_KEYS`: call it for the keys of callbacks' links, the one that signs first."""

from collections.abc import Callable

from millrace.bindings.secrets import KeptSecret
from millrace.domain.callback_access import split_keys
from millrace.errors import ConfigurationInvalid, MillraceError, SecretUnavailable

CallbackKeys = Callable[[], tuple[bytes, ...]]

VARIABLE = "CALLBACK_KEYS_SECRET"


class SecretKeys:
    """Those in a secret: its text, or `keys` in its JSON."""

    def __init__(self, secret_id: str):
        self._secret = KeptSecret(secret_id, field="keys", variable=VARIABLE, unavailable=unavailable)

    def __call__(self) -> tuple[bytes, ...]:
        try:
            return tuple(key.encode() for key in split_keys(self._secret()))
        except ValueError as wrong:
            # What it says is what there should be: nothing of the secret.
            raise ConfigurationInvalid(f"{VARIABLE} must name a secret that holds {wrong}") from None


def unavailable(cause: str) -> MillraceError:
    return SecretUnavailable(f"The keys of callbacks are not to be had: {cause}.")
