"""What the links of callbacks are signed with: that part of a process's configuration."""

from millrace.domain.model_access import Variables

SHORTEST_KEY = 32
# One that signs, and another that is to sign, or has signed, for as long as its links live.
MOST_KEYS = 2


def split_keys(text: str) -> tuple[str, ...]:
    """One key, or two with a comma between: the first signs, both are good. ValueError without the keys."""
    keys = tuple(key.strip() for key in text.split(","))
    if len(keys) > MOST_KEYS or min(map(len, keys)) < SHORTEST_KEY:
        raise ValueError(f"one key of {SHORTEST_KEY} characters or more, or two with a comma between")
    return keys


def read_callback_keys(variables: Variables) -> tuple[str, ...]:
    """The keys themselves, as the local system gives them. Where a secret holds them there are none."""
    value = variables.text("CALLBACK_KEYS")
    if value is None:
        return ()
    if variables.text("CALLBACK_KEYS_SECRET"):
        variables.refuse("CALLBACK_KEYS", "and CALLBACK_KEYS_SECRET exclude each other")
    try:
        return split_keys(value)
    except ValueError as wrong:
        variables.refuse("CALLBACK_KEYS", f"must be {wrong}")
        return ()
