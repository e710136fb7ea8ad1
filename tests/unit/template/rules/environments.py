"""A function is told what its code asks of env, has the time it needs, and waits for its schema."""

from collections.abc import Iterator

from millrace.domain.configuration import read_config
from millrace.domain.jobs import JOB_TABLES
from millrace.errors import ConfigurationInvalid
from tests.unit.template.deployment import Deployment, kind_variable, referred
from tests.unit.template.providers import SWITCHED_ON

GATEWAY_SECONDS = 30
LONGEST_TIMEOUT = 900

# What each thing that hangs on env is configured by. Queues have a variable a kind.
DATABASE = ("DATABASE_URL", "DATABASE_USER", "DATABASE_TLS", "DATABASE_SECONDS")
# Whoever knows the models' names checks what they need.
MODELS = (
    "AI_MODELS", "AI_PRICES", "CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_TOKEN_SECRET", "OPENAI_BASE_URL",
    "OPENAI_API_KEY_SECRET", "OPENAI_MOST_IMAGES", "BEDROCK_REGION",
)  # fmt: skip
# What Lambda itself tells a function.
LAMBDA = {"AWS_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_NAME": "millrace"}
VARIABLES: dict[str, tuple[str, ...]] = {
    "config": ("DATABASE_URL",),
    "DB": (*DATABASE, "DATABASE_IAM"),
    "BUCKET": ("BUCKET_URL",),
    "AI": MODELS,
    "PEPPER": ("KEY_PEPPER_SECRET",),
    "GPU": ("GPU_ENDPOINT_ID", "GPU_KEY_SECRET"),
    "CALLBACK_KEYS": ("CALLBACK_KEYS_SECRET",),
    "QUEUE": tuple(map(kind_variable, JOB_TABLES)),
    "STACK": (),
    "migrations": (*DATABASE, "DATABASE_PASSWORD_SECRET", "MIGRATIONS_FOLDER"),
    "config.ai_models": MODELS,
    "config.model_access": MODELS,
    "config.document_days": ("DOCUMENT_DAYS",),
    "config.ai_default_model": MODELS,
    "config.callback_url": ("CALLBACK_URL",),
    "config.gpu_second_microusd": ("GPU_PRICE",),
    "config.max_wait_seconds": ("MAX_WAIT_SECONDS",),
    "config.limited_kinds": ("LIMITED_KINDS",),
}


def unset_variables(deployment: Deployment) -> Iterator[str]:
    """A function has what its code asks of env, and beside what all have nothing else."""
    for function in deployment.functions:
        needs = deployment.needs(function)
        yield from (f"{function}: nobody said what env.{one} needs" for one in unknown(needs))
        wanted = {variable for one in needs for variable in VARIABLES.get(one, ())}
        for variable in sorted(wanted - set(deployment.variables(function))):
            yield f"{function} has no variable {variable}"
        for variable in sorted(deployment.own_variables(function).keys() - wanted):
            yield f"{function} has a variable that it does not read: {variable}"


def unknown(needs: frozenset[str]) -> set[str]:
    return {one for one in needs if (one.isupper() or one.startswith("config.")) and one not in VARIABLES}


def unreadable_environments(deployment: Deployment) -> Iterator[str]:
    """What the template sets is what the configuration takes, whichever models there are."""
    for models, parameters in SWITCHED_ON.items():
        yield from (f"with {models} {fault}" for fault in refusals(deployment.given(parameters)))


def refusals(deployment: Deployment) -> Iterator[str]:
    """What functions say of their environments when they start."""
    for function in deployment.functions:
        if "config" in deployment.needs(function):
            try:
                read_config(environment(deployment, function))
            except ConfigurationInvalid as error:
                yield f"{function}: {error}"


def environment(deployment: Deployment, function: str) -> dict[str, str]:
    values = LAMBDA | deployment.resolve(deployment.variables(function))
    # Here a bucket is called by its logical id, which has capitals, and no bucket's name has.
    values |= {name: value.lower() for name, value in values.items() if name == "BUCKET_URL"}
    return {name: str(value) for name, value in values.items()}


def needless_belongings(deployment: Deployment) -> Iterator[str]:
    """Who asks nothing of env is told nothing, and only who asks for the database stands beside it."""
    for function in deployment.functions:
        needs = deployment.needs(function)
        if not needs and deployment.variables(function):
            yield f"{function} has variables that it does not read"
        reaches = bool({"DB", "migrations"} & needs)
        if reaches != bool(deployment.setting(function, "VpcConfig")):
            yield f"{function} is {'not ' if reaches else ''}in the VPC"


def readable_connections(deployment: Deployment) -> Iterator[str]:
    """The server's certificate is checked by whoever has a database."""
    for function in deployment.functions:
        variables = deployment.variables(function)
        if variables and variables.get("DATABASE_TLS") != "verify":
            yield f"{function} does not check who the database is"


def wrong_timeouts(deployment: Deployment) -> Iterator[str]:
    """The gateway waits for 30 seconds, Lambda for 15 minutes, CloudFormation for what the resource says."""
    behind = {function for function, _ in deployment.events("HttpApi")}
    for function in deployment.functions:
        timeout = deployment.setting(function, "Timeout")
        if timeout > (GATEWAY_SECONDS if function in behind else LONGEST_TIMEOUT):
            yield f"{function} may take {timeout} s, longer than anybody waits"
        if int(deployment.variables(function).get("DATABASE_SECONDS", 0)) + 2 > timeout:
            yield f"{function} ends before it has given its database up"


def hasty_functions(deployment: Deployment) -> Iterator[str]:
    """New code waits for the schema it was written for."""
    for function in deployment.functions:
        waits = deployment.resources[function].get("DependsOn") == "Migrations"
        if "DB" in deployment.needs(function) and not waits:
            yield f"{function} does not wait for the migrations"
    if deployment.properties("Migrations").get("Version") != {"Ref": "MigrationsLayer"}:
        yield "the migrations are not run when they change"


def endless_migrations(deployment: Deployment) -> Iterator[str]:
    """The stack waits for one run, for as long as its event may wait and it may take, and for no second."""
    for name in deployment.named("Custom::Migrations"):
        function = str(referred(deployment.properties(name)["ServiceToken"]))
        asynchronous = deployment.properties(function).get("EventInvokeConfig", {})
        if asynchronous.get("MaximumRetryAttempts") != 0:
            yield f"{function} is run again when it fails, and nobody waits for that"
        longest = asynchronous.get("MaximumEventAgeInSeconds", 21_600) + deployment.setting(
            function, "Timeout"
        )
        if not longest <= deployment.properties(name).get("ServiceTimeout", 3600) <= longest + 60:
            yield f"{name} does not wait for the {longest} s of {function} and little more"


RULES = (
    unset_variables, unreadable_environments, needless_belongings, readable_connections, wrong_timeouts,
    hasty_functions, endless_migrations,
)  # fmt: skip
