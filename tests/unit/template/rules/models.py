"""Models can be switched on by parameters, and only so that they can be reached and paid for."""

from collections.abc import Iterator
from itertools import product

from tests.unit.template.deployment import Deployment
from tests.unit.template.parameters import accepts, takes
from tests.unit.template.providers import SECRET, SWITCHED_ON

# A request may hold 20 MB of documents, which stand in memory several times while they are read and sent.
LEAST_MEMORY_MB = 1024
# What a parameter is not given by mistake.
MISTAKES = {
    "AiModels": ("", "local/other", "nobody/knows", "openai/", "openai/a openai/b", "openai/a;openai/b"),
    "AiPrices": ("openai/a", "openai/a=1", "openai/a=1/", "openai/a=1,5/2", "openai/a=cheap/2"),
    "CloudflareAccountId": ("a/../b", "a" * 65),
    "CloudflareApiTokenSecret": ("the-token-itself", "millrace/cloudflare", SECRET.rpartition(":")[0]),
    "OpenAiBaseUrl": (
        "http://models.example.com", "https://", "https://models.example.com:8000/v1",
        "https://user@models.example.com", "https://models.example.com/v1?key=1",
    ),
    "OpenAiApiKeySecret": ("the-key-itself", "millrace/openai", SECRET),
    "BedrockRegion": ("Virginia", "us-east", "us-east-1a"),
    "GpuEndpointId": ("a/../b", "a" * 65, "-a"),
    "GpuKeySecret": ("the-key-itself", "millrace/runpod", SECRET),
    "GpuPrice": ("cheap", "$1", "1,5", ".5", "0.0000001"),
}  # fmt: skip


def misread_parameters(deployment: Deployment) -> Iterator[str]:
    """What switches a provider on is taken, and mistakes are refused before anything is done."""
    parameters = deployment.document["Parameters"]
    for name, parameter in parameters.items():
        if not takes(parameter, str(parameter.get("Default", ""))):
            yield f"{name} refuses its own default"
    for models, given in SWITCHED_ON.items():
        yield from (
            f"with {models} {name} is refused" for name in given if not takes(parameters[name], given[name])
        )
    for name, mistakes in MISTAKES.items():
        yield from (f"{name} may be {one!r}" for one in mistakes if takes(parameters[name], one))
        if name != "AiModels" and not takes(parameters[name], ""):
            yield f"{name} cannot be left out"


def unreachable_models(deployment: Deployment) -> Iterator[str]:
    """What is not in the VPC is refused where nothing leads out of it."""
    for models, given in SWITCHED_ON.items():
        for egress in deployment.document["Parameters"]["Egress"]["AllowedValues"]:
            reached = not given or egress != "none"
            if accepts(deployment.document, {**given, "Egress": egress}) != reached:
                yield f"with Egress={egress} {models} is {'refused' if reached else 'accepted'}"


def unpriced_models(deployment: Deployment) -> Iterator[str]:
    for models, given in SWITCHED_ON.items():
        if given and accepts(deployment.document, {**given, "AiPrices": "", "GpuPrice": ""}):
            yield f"{models} may be asked without a price"


def half_switched_on_gpus(deployment: Deployment) -> Iterator[str]:
    """Of what GPUs are reached with, all or nothing; a price alone does no harm."""
    whole = SWITCHED_ON["RunPod's GPUs"]
    for chosen in product((True, False), repeat=len(whole)):
        given = {
            name: value if taken else "" for taken, (name, value) in zip(chosen, whole.items(), strict=True)
        }
        is_whole = all(chosen) or not (given["GpuEndpointId"] or given["GpuKeySecret"])
        if accepts(deployment.document, given) != is_whole:
            said = sorted(name for name, value in given.items() if value)
            yield f"with {said} alone GPUs are {'refused' if is_whole else 'accepted'}"


def cramped_workers(deployment: Deployment) -> Iterator[str]:
    """Whoever runs jobs has room for their documents."""
    for function, _ in deployment.events("SQS"):
        if (
            "AI" in deployment.needs(function)
            and deployment.setting(function, "MemorySize") < LEAST_MEMORY_MB
        ):
            yield f"{function} has less than {LEAST_MEMORY_MB} MB"


RULES = (
    misread_parameters, unreachable_models, unpriced_models, half_switched_on_gpus, cramped_workers,
)  # fmt: skip
