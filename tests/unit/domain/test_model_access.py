"""What must be configured before a model can be asked, and what must not."""

import pytest

from millrace.domain.configuration import Config, read_config
from millrace.domain.model_access import Account, Key, ModelAccess
from millrace.domain.pricing import Price
from millrace.errors import ConfigurationInvalid

LLAMA = "@cf/meta/llama-3.2-11b-vision-instruct"
NOVA = "bedrock/us.amazon.nova-pro-v1:0"
OWN = "openai/llama3.2-vision"
CLOUDFLARE = {
    "AI_MODELS": LLAMA,
    "AI_PRICES": f"{LLAMA}=0.049/0.68",
    "CLOUDFLARE_ACCOUNT_ID": "abc123",
    "CLOUDFLARE_API_TOKEN_SECRET": "arn:of:the:token",
}
BEDROCK = {"AI_MODELS": NOVA, "AI_PRICES": f"{NOVA}=0.8/3.2", "BEDROCK_REGION": "us-east-1"}
OPENAI = {"AI_MODELS": OWN, "AI_PRICES": f"{OWN}=0/0", "OPENAI_API_KEY_SECRET": "arn:of:the:key"}


def read(variables: dict[str, str], **more: str) -> Config:
    return read_config({"DATABASE_URL": "sqlite:///var/millrace.db", **variables, **more})


def test_without_models_that_are_asked_over_a_network_nothing_is_needed():
    assert read({}).model_access == ModelAccess()


def test_cloudflare_is_reached_by_its_account_with_a_token():
    config = read(CLOUDFLARE)

    assert config.ai_models == (LLAMA,)
    assert config.model_access == ModelAccess(
        cloudflare=Account(
            "https://api.cloudflare.com/client/v4/accounts/abc123",
            Key("CLOUDFLARE_API_TOKEN_SECRET", secret_id="arn:of:the:token"),
        ),
        prices={LLAMA: Price(49_000, 680_000)},
    )


def test_bedrock_is_asked_in_a_region():
    assert read(BEDROCK).model_access.bedrock_region == "us-east-1"
    assert read(BEDROCK, BEDROCK_REGION="", AWS_REGION="eu-west-1").model_access.bedrock_region is None


def test_a_server_of_one_s_own_is_reached_by_its_address_and_may_want_no_key():
    url = "http://127.0.0.1:11434/v1/"

    access = read(OPENAI, OPENAI_BASE_URL=url, OPENAI_API_KEY_SECRET="", OPENAI_MOST_IMAGES="1").model_access

    assert access.openai == Account("http://127.0.0.1:11434/v1")
    assert access.openai_most_images == 1


def test_without_an_address_openai_is_openai():
    assert read(OPENAI).model_access.openai == Account(
        "https://api.openai.com/v1", Key("OPENAI_API_KEY_SECRET", secret_id="arn:of:the:key")
    )


def test_a_key_may_be_given_directly_on_a_machine_of_one_s_own():
    access = read(OPENAI, OPENAI_API_KEY_SECRET="", OPENAI_API_KEY="of-my-own").model_access

    assert access.openai is not None
    assert access.openai.key == Key("OPENAI_API_KEY", value="of-my-own")


@pytest.mark.parametrize(
    ("given", "changed", "named"),
    [
        (CLOUDFLARE, {"CLOUDFLARE_ACCOUNT_ID": ""}, "CLOUDFLARE_ACCOUNT_ID"),
        (CLOUDFLARE, {"CLOUDFLARE_ACCOUNT_ID": "a/../b"}, "CLOUDFLARE_ACCOUNT_ID"),
        (CLOUDFLARE, {"CLOUDFLARE_API_TOKEN_SECRET": ""}, "CLOUDFLARE_API_TOKEN_SECRET is missing"),
        (CLOUDFLARE, {"CLOUDFLARE_API_TOKEN": "both"}, "CLOUDFLARE_API_TOKEN and"),
        (CLOUDFLARE, {"CLOUDFLARE_BASE_URL": "api.cloudflare.com"}, "CLOUDFLARE_BASE_URL"),
        (CLOUDFLARE, {"CLOUDFLARE_BASE_URL": "http://[::1/v4"}, "CLOUDFLARE_BASE_URL"),
        (CLOUDFLARE, {"AI_PRICES": ""}, f"AI_PRICES has no price of {LLAMA}"),
        (CLOUDFLARE, {"AI_PRICES": f"{LLAMA}=cheap"}, "AI_PRICES must be"),
        (BEDROCK, {"BEDROCK_REGION": ""}, "BEDROCK_REGION is missing"),
        (BEDROCK, {"AI_PRICES": ""}, "AI_PRICES has no price"),
        (OPENAI, {"OPENAI_API_KEY_SECRET": ""}, "OPENAI_API_KEY_SECRET is missing"),
        (OPENAI, {"OPENAI_BASE_URL": "ftp://127.0.0.1"}, "OPENAI_BASE_URL"),
        (OPENAI, {"OPENAI_BASE_URL": "http://models.example/v1"}, "OPENAI_API_KEY goes to https"),
        (OPENAI, {"OPENAI_MOST_IMAGES": "many"}, "OPENAI_MOST_IMAGES"),
        (OPENAI, {"OPENAI_API_KEY_SECRET": "", "OPENAI_API_KEY": "two words"}, "OPENAI_API_KEY must be"),
        (
            OPENAI,
            {"OPENAI_API_KEY_SECRET": "", "OPENAI_API_KEY": "k", "AWS_LAMBDA_FUNCTION_NAME": "run_job"},
            "OPENAI_API_KEY is for a machine of one's own",
        ),
    ],
)
def test_a_model_without_what_its_provider_needs_is_refused_at_the_start(given, changed, named):
    with pytest.raises(ConfigurationInvalid, match=named):
        read({**given, **changed})


def test_neither_repr_nor_a_message_tells_a_key():
    config = read(OPENAI, OPENAI_API_KEY_SECRET="", OPENAI_API_KEY="hidden-key")
    with pytest.raises(ConfigurationInvalid) as refused:
        read(OPENAI, OPENAI_API_KEY="hidden key")

    assert "hidden" not in repr(config)
    assert "hidden" not in str(refused.value)
