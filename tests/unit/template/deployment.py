"""template.yaml as the rules read it: functions with their environments, timeouts and permissions."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from local.intrinsics import Resolver, load
from tests.unit.template.needs import ROOT


@dataclass(frozen=True)
class Permission:
    """`resources` as text: `${Bucket.Arn}/*`, or `KeyPepper` where it is referred to."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]


@dataclass
class Deployment:
    """The document, which a test may plant a fault in, and its meaning."""

    document: dict[str, Any] = field(default_factory=lambda: copy.deepcopy(TEMPLATE))

    @property
    def resources(self) -> dict[str, Any]:
        return self.document["Resources"]

    def properties(self, name: str) -> dict[str, Any]:
        return self.resources[name].get("Properties", {})

    def named(self, kind: str) -> Iterator[str]:
        return (name for name, one in self.resources.items() if one["Type"] == kind)

    @property
    def functions(self) -> list[str]:
        return list(self.named("AWS::Serverless::Function"))

    @cached_property
    def _resolver(self) -> Resolver:
        return Resolver(self.document, parameters={})

    def resolve(self, value: Any) -> Any:
        """With the parameters' defaults."""
        return self._resolver.resolve(value)

    def setting(self, function: str, name: str) -> Any:
        shared = self.document["Globals"]["Function"]
        return self.resolve(self.properties(function).get(name, shared.get(name)))

    def variables(self, function: str) -> dict[str, Any]:
        shared = self.document["Globals"]["Function"]["Environment"]["Variables"]
        return {**shared, **self.properties(function).get("Environment", {}).get("Variables", {})}

    def module(self, function: str) -> str:
        return f"{self.properties(function)['CodeUri'].strip('/').replace('/', '.')}.app"

    def permissions(self, function: str) -> list[Permission]:
        policies = self.properties(function).get("Policies", [])
        statements = (one for policy in policies for one in policy["Statement"])
        return [
            Permission(tuple(as_list(one["Action"])), tuple(map(render, as_list(one["Resource"]))))
            for one in statements
            if one["Effect"] == "Allow"
        ]

    def events(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for function in self.functions:
            for event in self.properties(function).get("Events", {}).values():
                if event["Type"] == kind:
                    yield function, event["Properties"]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def render(value: Any) -> str:
    """An ARN as it stands in the template, its own variables put in."""
    match value:
        case {"Fn::Sub": [text, given]}:
            for name, one in given.items():
                text = text.replace(f"${{{name}}}", str(one))
            return str(text)
        case {"Fn::Sub": text} | {"Ref": text}:
            return str(text)
        case {"Fn::GetAtt": path}:
            return ".".join(path)
    return str(value)


def kind_variable(kind: str) -> str:
    return f"QUEUE_URL_{kind.upper()}"


def referred(value: Any) -> str | None:
    """The resource that a value refers to, whole."""
    if isinstance(value, Mapping) and len(value) == 1:
        [(name, argument)] = value.items()
        if name == "Ref":
            return str(argument)
        if name == "Fn::GetAtt":
            return str(argument[0])
    return None


TEMPLATE = load(ROOT / "template.yaml")
