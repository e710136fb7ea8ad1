"""The OpenAPI document of every route: Powertools reads the models, the manners of the API are put around."""

import importlib
import inspect
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from pydantic import BaseModel

from local.openapi.refusals import Schema, responses_of, schemas_of
from local.openapi.wording import ABOUT, HEADERS, PARAMETERS, SECURITY, SUCCESS, VALUE_IN_PATH
from local.settings import ROOT
from millrace.entry import Routes
from millrace.entry.exchange import WITH_BODY, Route
from millrace.entry.routes import calling

EXAMPLES = Path(__file__).with_name("examples.json")


def read_routes() -> list[Route]:
    """The routes of every function, in the order of their folders, that a key opens."""
    names = [path.parent.name for path in sorted((ROOT / "functions").glob("*/app.py"))]
    modules = [importlib.import_module(f"functions.{name}.app") for name in names]
    all_routes = [getattr(module, "routes", None) for module in modules]
    found = [route for routes in all_routes if isinstance(routes, Routes) for route in routes.all]
    return [route for route in found if route.scope]


def describe(routes: Sequence[Route]) -> dict[str, Any]:
    """The whole document."""
    read = read_models(routes)
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    paths: dict[str, Any] = {}
    for route in routes:
        path = path_of(route)
        operation = read["paths"][path][route.method.lower()]
        named = examples.get(route.handler.__name__, {})
        paths.setdefault(path, {})[route.method.lower()] = finish(operation, route=route, examples=named)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    schemas = {**models_in(read, routes=routes), **schemas_of(routes)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Millrace", "version": version, "description": ABOUT},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "securitySchemes": {"key": SECURITY},
        },
    }


def read_models(routes: Sequence[Route]) -> dict[str, Any]:
    """What Powertools makes of the handlers' parameters and of the models they take and return."""
    resolver = APIGatewayHttpResolver(enable_validation=True)
    for route in routes:
        content: Any = {"application/json": {"model": model_of(route)}}
        define = resolver.route(
            route.rule,
            route.method,
            operation_id=route.handler.__name__,
            responses={route.status: {"description": "", "content": content}},
        )
        define(calling(route, resolver=resolver))  # type: ignore[arg-type]  # it is only read
    document = resolver.get_openapi_schema(title="", version="")
    read: dict[str, Any] = document.model_dump(by_alias=True, exclude_none=True, mode="json")
    return read


def model_of(route: Route) -> type[BaseModel]:
    """The model in the handler's return type, which may stand inside an Answer."""
    returned = get_type_hints(route.handler)["return"]
    model: type[BaseModel] = next(iter(get_args(returned)), returned)
    return model


def models_in(read: dict[str, Any], *, routes: Sequence[Route]) -> dict[str, Schema]:
    """The models' schemas. Answers are sent in the envelope, and never with a null."""
    asked = {model.__name__ for route in routes for model in models_taken(route)}
    own = {
        name: tidy(schema, nullable=name in asked) for name, schema in read["components"]["schemas"].items()
    }
    for name in {"HTTPValidationError", "ValidationError", "ResponseValidationError"} & own.keys():
        del own[name]
    for name in {model_of(route).__name__ for route in routes}:
        own[name]["properties"] = {"success": {"const": True}, **own[name]["properties"]}
        own[name]["required"] = ["success", *own[name].get("required", [])]
    return own


def tidy(schema: Any, *, nullable: bool = False) -> Any:
    """Without the titles pydantic makes of names, and without null unless one may send it."""
    if isinstance(schema, list):
        return [tidy(one, nullable=nullable) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "properties" in schema:
        fields = {name: tidy(one, nullable=nullable) for name, one in schema["properties"].items()}
        schema = {**schema, "properties": fields}
    kept = {
        name: one if name == "properties" else tidy(one, nullable=nullable)
        for name, one in schema.items()
        if not (name == "title" and isinstance(one, str))
    }
    choices = [one for one in kept.get("anyOf", []) if nullable or one != {"type": "null"}]
    if len(choices) == 1:
        del kept["anyOf"]
        kept |= choices[0]
    return kept


def models_taken(route: Route) -> list[type[BaseModel]]:
    """What the handler takes as its body."""
    hints = get_type_hints(route.handler)
    taken = [hint for name, hint in hints.items() if name != "return"]
    return [hint for hint in taken if isinstance(hint, type) and issubclass(hint, BaseModel)]


def path_of(route: Route) -> str:
    return route.rule.replace("<", "{").replace(">", "}")


def finish(operation: dict[str, Any], *, route: Route, examples: dict[str, Any]) -> dict[str, Any]:
    """One operation, with all that is not in its models."""
    summary, _, more = inspect.cleandoc(route.handler.__doc__ or "").partition("\n\n")
    finished: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": summary,
        **({"description": more} if more else {}),
        "parameters": parameters_of(operation, route=route, examples=examples.get("parameters", {})),
        "responses": {**successes_of(route, examples=examples), **responses_of(route)},
    }
    if route.scope:
        finished |= {"tags": [route.scope.partition(":")[0]], "security": [{"key": [route.scope]}]}
    if route.method in WITH_BODY and "requestBody" in operation:
        finished["requestBody"] = body_of(operation, route=route, examples=examples)
    return finished


def parameters_of(
    operation: dict[str, Any], *, route: Route, examples: Mapping[str, Any]
) -> list[dict[str, Any]]:
    names = [*route.headers, *(["Idempotency-Key"] if route.takes_key else []), "X-Request-Id"]
    return [
        *(parameter_of(given, examples=examples) for given in operation.get("parameters", [])),
        *({"$ref": f"#/components/parameters/{name}"} for name in names),
    ]


def parameter_of(given: dict[str, Any], *, examples: Mapping[str, Any]) -> dict[str, Any]:
    """One of the path or of the query. What stands in a path is held to the same rule as the headers."""
    schema = dict(VALUE_IN_PATH) if given["in"] == "path" else tidy(given["schema"])
    said = {"description": schema.pop("description")} if "description" in schema else {}
    example = {"example": examples[given["name"]]} if given["name"] in examples else {}
    return {**given, **said, "schema": schema, **example}


def successes_of(route: Route, *, examples: dict[str, Any]) -> dict[str, Schema]:
    model = model_of(route)
    return {
        str(status): {
            "description": SUCCESS[status],
            "headers": {
                name: {"$ref": f"#/components/headers/{name}"}
                for name in success_headers(status, route=route, model=model)
            },
            "content": {
                "application/json": {
                    "schema": {"$ref": f"#/components/schemas/{model.__name__}"},
                    "examples": named(examples.get(str(status), {})),
                }
            },
        }
        for status in sorted({route.status, *route.also})
    }


def success_headers(status: int, *, route: Route, model: type[BaseModel]) -> list[str]:
    names = ["X-Request-Id"]
    names += ["Retry-After"] if status == 202 else []
    names += ["Idempotent-Replayed"] if route.takes_key else []
    names += ["RateLimit", "RateLimit-Policy"] if "usage" in model.model_fields else []
    return names


def body_of(operation: dict[str, Any], *, route: Route, examples: dict[str, Any]) -> Schema:
    """A body may be left out when each of its fields may: then the defaults hold."""
    content = operation["requestBody"]["content"]["application/json"]
    needed = any(
        field.is_required() for model in models_taken(route) for field in model.model_fields.values()
    )
    return {
        "required": needed,
        "content": {
            "application/json": {
                "schema": tidy(content["schema"]),
                "examples": named(examples.get("request", {})),
            }
        },
    }


def named(examples: dict[str, Any]) -> dict[str, Any]:
    return {name: {"value": value} for name, value in examples.items()}
