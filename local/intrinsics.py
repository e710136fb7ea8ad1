"""Reads CloudFormation's YAML and resolves its functions: !Ref, !Sub, !GetAtt, !If and others we use."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

REGION = "us-east-1"
ACCOUNT_ID = "123456789012"
PSEUDO_PARAMETERS = {
    "AWS::AccountId": ACCOUNT_ID,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": "millrace-local",
    "AWS::URLSuffix": "amazonaws.com",
}
SERVICES = {"AWS::Serverless::Function": "lambda", "AWS::SQS::Queue": "sqs", "AWS::S3::Bucket": "s3"}
ABSENT = object()


class TemplateInvalid(Exception):
    """The template says something that the local cloud cannot make sense of. The message says where."""


class _Loader(yaml.SafeLoader):
    """YAML in which `!Name value` means {"Fn::Name": value}."""


def _read_tag(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        text = loader.construct_scalar(node)
        return {name: text.split(".", 1) if suffix == "GetAtt" else text}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    if isinstance(node, yaml.MappingNode):
        return {name: loader.construct_mapping(node, deep=True)}
    raise TemplateInvalid(f"cannot read !{suffix}")


_Loader.add_multi_constructor("!", _read_tag)


def load(path: Path) -> dict[str, Any]:
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise TemplateInvalid(f"{path.name}: {error}") from error
    if not isinstance(document, dict):
        raise TemplateInvalid(f"{path.name} is not a template")
    return document


class Resolver:
    """Gives values their meaning in this template.

    A parameter that has neither a value nor a default is empty: what the cloud needs, a laptop may not.
    """

    def __init__(self, document: Mapping[str, Any], *, parameters: Mapping[str, str]):
        self._document = document
        self._parameters = {
            name: parameters.get(name, declared.get("Default", ""))
            for name, declared in document.get("Parameters", {}).items()
        }

    def resolve(self, value: Any) -> Any:
        """The value without functions. What !If leaves out (AWS::NoValue) is left out."""
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not ABSENT]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(name, argument)] = value.items()
            if name == "Ref":
                return self._ref(argument)
            if name.startswith("Fn::"):
                return self._call(name, argument)
        resolved = {name: self.resolve(item) for name, item in value.items()}
        return {name: item for name, item in resolved.items() if item is not ABSENT}

    def holds(self, condition: Any) -> bool:
        """Whether a condition, or the condition of that name, is true."""
        if isinstance(condition, str):
            return self.holds(self._document["Conditions"][condition])
        [(name, argument)] = condition.items()
        match name:
            case "Condition":
                return self.holds(argument)
            case "Fn::Equals":
                left, right = self.resolve(argument)
                return str(left) == str(right)
            case "Fn::Not":
                return not self.holds(argument[0])
            case "Fn::And":
                return all(map(self.holds, argument))
            case "Fn::Or":
                return any(map(self.holds, argument))
        raise TemplateInvalid(f"the local cloud does not know the condition {name}")

    def _call(self, name: str, argument: Any) -> Any:
        match name:
            case "Fn::GetAtt":
                return self._attribute(*argument)
            case "Fn::Sub":
                return self._substitute(argument)
            case "Fn::If":
                condition, yes, no = argument
                return self.resolve(yes if self.holds(condition) else no)
            case "Fn::Join":
                separator, items = argument
                return str(separator).join(map(str, self.resolve(items)))
            case "Fn::Split":
                separator, text = argument
                return str(self.resolve(text)).split(separator)
        raise TemplateInvalid(f"the local cloud does not know {name}")

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return ABSENT
        if name in PSEUDO_PARAMETERS:
            return PSEUDO_PARAMETERS[name]
        if name in self._parameters:
            is_list = "List" in self._document["Parameters"][name]["Type"]
            given = self._parameters[name]
            return str(given).split(",") if is_list else given
        if self._kind(name) == "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT_ID}/{name}"
        return name

    def _attribute(self, name: str, attribute: str) -> str:
        service = SERVICES.get(self._kind(name))
        if attribute != "Arn" or service is None:
            # Of what is only in the cloud nothing is known here, and nothing here uses it.
            return f"{name}.{attribute}"
        if service == "s3":
            return f"arn:aws:s3:::{name}"
        kind = "function:" if service == "lambda" else ""
        return f"arn:aws:{service}:{REGION}:{ACCOUNT_ID}:{kind}{name}"

    def _substitute(self, argument: str | list[Any]) -> str:
        text, given = argument if isinstance(argument, list) else (argument, {})

        def replace(found: re.Match[str]) -> str:
            name = found[1]
            if name in given:
                return str(self.resolve(given[name]))
            logical_id, _, attribute = name.partition(".")
            return str(self._attribute(logical_id, attribute) if attribute else self._ref(name))

        return re.sub(r"\$\{([^!}]+)\}", replace, text).replace("${!", "${")

    def _kind(self, name: str) -> str:
        try:
            return str(self._document["Resources"][name]["Type"])
        except KeyError:
            raise TemplateInvalid(f"the template has no {name}") from None
