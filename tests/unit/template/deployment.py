"""template.yaml as the rules read it: functions with their environments, timeouts and permissions."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from local.intrinsics import ABSENT, Resolver, load
from tests.unit.template.needs import ROOT, needs_of


@dataclass
class Deployment:
    """The document, which a test may plant a fault in, and its meaning with these parameters."""

    document: dict[str, Any] = field(default_factory=lambda: copy.deepcopy(TEMPLATE))
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def resources(self) -> dict[str, Any]:
        return self.document["Resources"]

    def properties(self, name: str) -> dict[str, Any]:
        """Of a resource; of one that is not there, none."""
        return self.resources.get(name, {}).get("Properties", {})

    def named(self, kind: str) -> Iterator[str]:
        return (name for name, one in self.resources.items() if one["Type"] == kind)

    @property
    def functions(self) -> list[str]:
        return list(self.named("AWS::Serverless::Function"))

    def given(self, parameters: dict[str, str]) -> "Deployment":
        return Deployment(self.document, parameters)

    @cached_property
    def _resolver(self) -> Resolver:
        return Resolver(self.document, parameters=self.parameters)

    def resolve(self, value: Any) -> Any:
        """Of parameters that are not given, the defaults. None for what AWS::NoValue leaves out."""
        resolved = self._resolver.resolve(value)
        return None if resolved is ABSENT else resolved

    def choose(self, value: Any) -> Any:
        """As it stands in the template once each !If is decided. None for what is left out."""
        if isinstance(value, list):
            return [one for one in map(self.choose, value) if one is not None]
        match value:
            case {"Fn::If": [condition, yes, no]}:
                return self.choose(yes if self._resolver.holds(condition) else no)
            case {"Ref": "AWS::NoValue"}:
                return None
            case dict():
                return {name: self.choose(one) for name, one in value.items()}
        return value

    def setting(self, function: str, name: str) -> Any:
        shared = self.document["Globals"]["Function"]
        return self.resolve(self.properties(function).get(name, shared.get(name)))

    def variables(self, function: str) -> dict[str, Any]:
        if self.resolve(self.properties(function).get("Environment", {})) is None:
            return {}
        shared = self.document["Globals"]["Function"]["Environment"]["Variables"]
        return {**shared, **self.own_variables(function)}

    def own_variables(self, function: str) -> dict[str, Any]:
        """Those that are not everybody's."""
        return self.properties(function).get("Environment", {}).get("Variables", {})

    def module(self, function: str) -> str:
        return f"{self.properties(function)['CodeUri'].strip('/').replace('/', '.')}.app"

    def needs(self, function: str) -> frozenset[str]:
        return needs_of(self.module(function))

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
