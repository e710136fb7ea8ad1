"""What reaches the API: every route asks who is there, and nothing secret is told of it."""

import re
from collections.abc import Iterator

from tests.unit.template.deployment import Deployment

# Routes that anybody may call, and why is in their description.
PUBLIC_ROUTES = {"GET /openapi.json", "GET /docs"}


def open_routes(deployment: Deployment) -> Iterator[str]:
    """Every route asks who is there, but for the listed few."""
    for function, event in deployment.events("HttpApi"):
        route = f"{event['Method'].upper()} {event['Path']}"
        api = deployment.properties(event["ApiId"]["Ref"])
        authorizer = event.get("Auth", {}).get("Authorizer", api["Auth"].get("DefaultAuthorizer"))
        if authorizer in (None, "NONE") and route not in PUBLIC_ROUTES:
            yield f"{route} of {function} has no authorizer"


def loose_authorizers(deployment: Deployment) -> Iterator[str]:
    """By the Authorization header alone, by which an answer is remembered; how long can be chosen."""
    for api in deployment.named("AWS::Serverless::HttpApi"):
        for name, authorizer in deployment.properties(api)["Auth"]["Authorizers"].items():
            if authorizer["Identity"]["Headers"] != ["Authorization"]:
                yield f"{name} asks by {authorizer['Identity']['Headers']}"
            if authorizer["Identity"].get("ReauthorizeEvery") != {"Ref": "AuthorizerTtlSeconds"}:
                yield f"{name} is remembered for a fixed time"
            version, simple = (
                authorizer.get(one) for one in ("AuthorizerPayloadFormatVersion", "EnableSimpleResponses")
            )
            if (version, simple) != ("2.0", True):
                yield f"{name} is not understood: it answers yes or no, in the words of payload 2.0"


def told_paths(deployment: Deployment) -> Iterator[str]:
    """A path holds a callback's token, so access logs name the route."""
    for api in deployment.named("AWS::Serverless::HttpApi"):
        text = deployment.properties(api).get("AccessLogSettings", {}).get("Format", "")
        if "$context.routeKey" not in text:
            yield f"{api} does not log the route"
        yield from (f"{api} logs {found}" for found in re.findall(r"\$context\.(?:path\b|http\.path)", text))


RULES = (open_routes, loose_authorizers, told_paths)
