"""How the providers of models are reached and what they charge: the AI part of a process's configuration."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from millrace.domain.pricing import Price, read_prices

CLOUDFLARE, BEDROCK, OPENAI = "@cf/", "bedrock/", "openai/"
CLOUDFLARE_URL = "https://api.cloudflare.com/client/v4"
OPENAI_URL = "https://api.openai.com/v1"
MOST_IMAGES = 10
# How many tokens an answer may have; with OpenAI what the model thinks to itself is counted too.
MOST_WRITTEN: Mapping[str, int] = {CLOUDFLARE: 2_048, BEDROCK: 4_096, OPENAI: 8_192}
LOOPBACK = ("127.0.0.1", "::1", "localhost")
PRINTABLE = re.compile(r"[!-~]+")


class Variables(Protocol):
    """What `configuration.Reading` offers."""

    def text(self, name: str) -> str | None: ...

    def web_address(self, name: str) -> str | None: ...

    def refuse(self, name: str, why: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Key:
    """A provider's key: itself, on a machine of one's own, or the secret in Secrets Manager that holds it.

    `variable` is the one it was configured by, for messages.
    """

    variable: str
    value: str | None = field(default=None, repr=False)
    secret_id: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """One provider that speaks HTTP. Without a key there is nobody to whom we must say who we are."""

    url: str
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class ModelAccess:
    """What is not configured is None. `openai_most_images` is how many a request to that server may hold."""

    cloudflare: Account | None = None
    openai: Account | None = None
    openai_most_images: int = MOST_IMAGES
    bedrock_region: str | None = None
    prices: Mapping[str, Price] = field(default_factory=dict)

    def most_cost(self, model: str, *, read: int) -> int:
        """What an answer may cost in micro-dollars when the model has `read` so many tokens."""
        price = self.prices.get(model)
        written = next((most for prefix, most in MOST_WRITTEN.items() if model.startswith(prefix)), 0)
        return price.cost(input_tokens=read, output_tokens=written) if price else 0

    def least_costs(self, models: Iterable[str]) -> dict[str, int]:
        """By model what an answer may cost: with less than that, no question is put to it."""
        return {model: self.most_cost(model, read=0) for model in models}


def read_model_access(variables: Variables, *, models: Sequence[str]) -> ModelAccess:
    """Refuses what the models at hand cannot do without, by the name of the variable."""
    return ModelAccess(
        cloudflare=read_cloudflare(variables) if any_of(models, CLOUDFLARE) else None,
        openai=read_openai(variables) if any_of(models, OPENAI) else None,
        openai_most_images=read_most_images(variables),
        bedrock_region=read_region(variables) if any_of(models, BEDROCK) else None,
        prices=read_price_table(variables, models=models),
    )


def any_of(models: Sequence[str], prefix: str) -> bool:
    return any(model.startswith(prefix) for model in models)


def read_cloudflare(variables: Variables) -> Account:
    account_id = variables.text("CLOUDFLARE_ACCOUNT_ID") or ""
    if not re.fullmatch("[A-Za-z0-9]{1,64}", account_id):
        variables.refuse("CLOUDFLARE_ACCOUNT_ID", f"must be the account's id: {CLOUDFLARE} models need it")
    base = variables.web_address("CLOUDFLARE_BASE_URL") or CLOUDFLARE_URL
    key = read_key(variables, "CLOUDFLARE_API_TOKEN", base=base)
    if key is None:
        variables.refuse("CLOUDFLARE_API_TOKEN_SECRET", f"is missing: {CLOUDFLARE} models need it")
    return Account(f"{base}/accounts/{account_id}", key)


def read_openai(variables: Variables) -> Account:
    """A server of one's own may want no key. OpenAI itself does."""
    base = variables.web_address("OPENAI_BASE_URL") or OPENAI_URL
    key = read_key(variables, "OPENAI_API_KEY", base=base)
    if key is None and base == OPENAI_URL:
        variables.refuse("OPENAI_API_KEY_SECRET", f"is missing: without OPENAI_BASE_URL {OPENAI} is OpenAI")
    return Account(base, key)


def read_key(variables: Variables, name: str, *, base: str) -> Key | None:
    secret_name = f"{name}_SECRET"
    value, secret_id = variables.text(name), variables.text(secret_name)
    if value is not None and secret_id is not None:
        variables.refuse(name, f"and {secret_name} exclude each other")
    if value is not None and variables.text("AWS_LAMBDA_FUNCTION_NAME"):
        variables.refuse(name, f"is for a machine of one's own: on Lambda {secret_name} names a secret")
    if value is not None and not PRINTABLE.fullmatch(value):
        variables.refuse(name, "must be one word of plain letters, digits and signs")
    if value is None and secret_id is None:
        return None
    if not is_private(base):
        variables.refuse(name, "goes to https:// addresses only, or to this machine: others could read it")
    return Key(name if secret_id is None else secret_name, value, secret_id)


def is_private(url: str) -> bool:
    """Whether nobody on the way reads what is sent there."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or parts.hostname in LOOPBACK


def read_region(variables: Variables) -> str | None:
    region = variables.text("BEDROCK_REGION")
    if region is None and not (variables.text("AWS_REGION") or variables.text("AWS_DEFAULT_REGION")):
        variables.refuse("BEDROCK_REGION", f"is missing: {BEDROCK} models are asked in a region")
    return region


def read_most_images(variables: Variables) -> int:
    value = variables.text("OPENAI_MOST_IMAGES") or str(MOST_IMAGES)
    if not re.fullmatch(r"\d{1,2}", value):
        variables.refuse("OPENAI_MOST_IMAGES", "must be how many images a request may hold, from 0 to 99")
        return MOST_IMAGES
    return int(value)


def read_price_table(variables: Variables, *, models: Sequence[str]) -> Mapping[str, Price]:
    """A model that charges has a price, if only 0/0: nobody shall take for free what was never said to be."""
    try:
        prices = read_prices(variables.text("AI_PRICES") or "")
    except ValueError:
        variables.refuse(
            "AI_PRICES", "must be model=in/out, in dollars for a million tokens, with commas between"
        )
        return {}
    missing = [m for m in models if m.startswith((CLOUDFLARE, BEDROCK, OPENAI)) and m not in prices]
    if missing:
        variables.refuse("AI_PRICES", f"has no price of {', '.join(missing)} (0/0 for a server of your own)")
    return prices
