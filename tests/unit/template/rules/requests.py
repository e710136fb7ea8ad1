"""What reaches the API: every route asks who is there, and nothing secret is told of it."""

import json
import re
from collections.abc import Iterator

from tests.unit.template.answered import answered_by
from tests.unit.template.deployment import Deployment

# Routes that anybody may call, and why is in their description; of a callback, the path is the key.
PUBLIC_ROUTES = {"GET /openapi.json", "GET /docs", "POST /api/runpod/callback/{token}"}
NOBODY = {"Authorizer": "NONE"}
# Which have no code that routes: two files as they are.
FILES = {"GET /openapi.json", "GET /docs"}
# What a line of the access log may hold: nothing that a caller wrote.
TOLD = {
    "requestTimeEpoch", "requestId", "routeKey", "status", "responseLatency", "integrationLatency",
    "responseLength", "error.message", "authorizer.key_id", "authorizer.error",
}  # fmt: skip


def open_routes(deployment: Deployment) -> Iterator[str]:
    """Every route asks who is there, but for the listed few."""
    for function, event in deployment.events("HttpApi"):
        route = f"{event['Method'].upper()} {event['Path']}"
        api = deployment.properties(event["ApiId"]["Ref"])
        authorizer = event.get("Auth", {}).get("Authorizer", api["Auth"].get("DefaultAuthorizer"))
        if authorizer in (None, "NONE") and route not in PUBLIC_ROUTES:
            yield f"{route} of {function} has no authorizer"
        if authorizer != "NONE" and route in PUBLIC_ROUTES:
            yield f"{route} of {function} is not for anybody"
        # Another limit, another format, another time: what holds for one holds for all.
        if event.keys() - {"Auth"} != {"ApiId", "Method", "Path"} or event.get("Auth", NOBODY) != NOBODY:
            yield f"{route} of {function} is like no other: {sorted(event)}"


def lost_routes(deployment: Deployment) -> Iterator[str]:
    """What a function answers is brought to it, and nothing else is."""
    for function in deployment.functions:
        brought = {
            f"{event['Method'].upper()} {event['Path']}"
            for one, event in deployment.events("HttpApi")
            if one == function and event["ApiId"] == {"Ref": "Api"}
        }
        wanted = FILES if function == "DescribeApi" else answered_by(deployment.module(function))
        yield from (f"{one} is not brought to {function}" for one in sorted(wanted - brought))
        yield from (f"{one} is brought to {function} in vain" for one in sorted(brought - wanted))


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
    """A path holds a callback's token, so access logs name the route; and each line is one to be searched."""
    for api in deployment.named("AWS::Serverless::HttpApi"):
        text = deployment.properties(api).get("AccessLogSettings", {}).get("Format", "")
        if "$context.routeKey" not in text:
            yield f"{api} does not log the route"
        told = re.findall(r"\$context\.([\w.]+)", text)
        yield from (f"{api} logs $context.{one}" for one in told if one not in TOLD)
        if not is_json(text):
            yield f"{api} logs what is not JSON"


def is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


RULES = (open_routes, lost_routes, loose_authorizers, told_paths)
