"""How the provider of GPUs is reached and what it charges: the GPU part of a process's configuration."""

import re

from millrace.domain.model_access import Account, Variables, read_key
from millrace.domain.pricing import AMOUNT, microusd

RUNPOD_URL = "https://api.runpod.ai/v2"
ENDPOINT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def read_gpu_access(variables: Variables) -> Account | None:
    """RunPod's endpoint and the key to it. None where there is none: exports are then not rendered."""
    endpoint = variables.text("GPU_ENDPOINT_ID")
    base = variables.web_address("GPU_BASE_URL") or RUNPOD_URL
    key = read_key(variables, "GPU_KEY", base=base)
    if endpoint is None:
        if key is not None:
            variables.refuse("GPU_ENDPOINT_ID", f"is missing: {key.variable} is the key to an endpoint")
        return None
    if not ENDPOINT_ID.fullmatch(endpoint):
        variables.refuse("GPU_ENDPOINT_ID", "must be the endpoint's id, of letters, digits, - and _")
    if key is None:
        variables.refuse("GPU_KEY_SECRET", "is missing: GPU_ENDPOINT_ID is reached with a key")
    return Account(f"{base}/{endpoint}", key)


def read_gpu_price(variables: Variables) -> int:
    """Micro-dollars for a second on a GPU. 0 where nobody says: then it is taken for free."""
    value = variables.text("GPU_PRICE") or "0"
    if not re.fullmatch(AMOUNT, value):
        variables.refuse("GPU_PRICE", "must be dollars for a second on a GPU, such as 0.00044")
        return 0
    return microusd(value)
