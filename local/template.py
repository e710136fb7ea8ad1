"""What template.yaml deploys, as the local cloud needs it: functions, routes, schedules, queues."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.intrinsics import ABSENT, Resolver, TemplateInvalid, load


@dataclass(frozen=True, slots=True)
class Function:
    """`module` is where `handler` is imported from, `environment` what the template gives it."""

    name: str
    module: str
    handler: str
    timeout_seconds: float
    memory_mb: int
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Authorizer:
    name: str
    function: str
    identity_headers: tuple[str, ...]
    ttl_seconds: float


@dataclass(frozen=True, slots=True)
class Route:
    """`authorizer` is None for a route that anybody may call."""

    method: str
    path: str
    function: str
    authorizer: str | None

    @property
    def key(self) -> str:
        return "$default" if self.path == "$default" else f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Schedule:
    name: str
    function: str
    expression: str


@dataclass(frozen=True, slots=True)
class Queue:
    """`dead_letters` is the queue that takes a message after `most_receives`; None: no queue does."""

    name: str
    url: str
    arn: str
    visibility_seconds: float
    dead_letters: str | None
    most_receives: int


@dataclass(frozen=True, slots=True)
class Consumer:
    """A function that is given a queue's messages. Without `reports_failures` only an error fails them."""

    queue: str
    function: str
    batch_size: int
    most_at_once: int
    reports_failures: bool


@dataclass(frozen=True, slots=True)
class Template:
    functions: Mapping[str, Function]
    authorizers: Mapping[str, Authorizer]
    routes: tuple[Route, ...]
    schedules: tuple[Schedule, ...]
    queues: Mapping[str, Queue]
    consumers: tuple[Consumer, ...]


def read_template(path: Path, *, parameters: Mapping[str, str] | None = None) -> Template:
    """Read the template with its parameters' defaults, but for those given."""
    document = load(path)
    resolver = Resolver(document, parameters=parameters or {})
    resources = {
        name: resource
        for name, resource in document.get("Resources", {}).items()
        if "Condition" not in resource or resolver.holds(resource["Condition"])
    }
    try:
        return _Reader(
            resources, resolver=resolver, shared=document.get("Globals", {}).get("Function", {})
        ).read()
    except (KeyError, TypeError, ValueError) as error:
        raise TemplateInvalid(f"{path.name}: {type(error).__name__}: {error}") from error


class _Reader:
    """Goes through the resources once per kind of thing to be found."""

    def __init__(self, resources: Mapping[str, Any], *, resolver: Resolver, shared: Mapping[str, Any]):
        self._resources = resources
        self._resolver = resolver
        self._shared = shared

    def read(self) -> Template:
        apis = {
            name: self._property(api, "Auth") or {} for name, api in self._of_type("AWS::Serverless::HttpApi")
        }
        return Template(
            functions={
                name: self._function(name, one) for name, one in self._of_type("AWS::Serverless::Function")
            },
            authorizers={one.name: one for auth in apis.values() for one in _authorizers(auth)},
            routes=tuple(self._routes(apis)),
            schedules=tuple(
                Schedule(f"{function}{name}", function, self._resolve(given["ScheduleExpression"]))
                for function, name, given in self._events("ScheduleV2")
            ),
            queues={name: self._queue(name, queue) for name, queue in self._of_type("AWS::SQS::Queue")},
            consumers=tuple(_consumer(name, self._resolve(given)) for name, _, given in self._events("SQS")),
        )

    def _resolve(self, value: Any) -> Any:
        return self._resolver.resolve(value)

    def _property(self, resource: Mapping[str, Any], name: str) -> Any:
        return self._resolve(resource.get("Properties", {}).get(name))

    def _of_type(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        return ((name, resource) for name, resource in self._resources.items() if resource["Type"] == kind)

    def _events(self, kind: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Function, event and its properties, for each event of this kind."""
        for function, resource in self._of_type("AWS::Serverless::Function"):
            for name, event in resource["Properties"].get("Events", {}).items():
                if event["Type"] == kind:
                    yield function, name, event["Properties"]

    def _function(self, name: str, resource: Mapping[str, Any]) -> Function:
        def setting(key: str, default: Any) -> Any:
            return self._resolve(resource["Properties"].get(key, self._shared.get(key, default)))

        module, _, handler = str(setting("Handler", "app.handler")).rpartition(".")
        folder = str(self._property(resource, "CodeUri")).strip("/").replace("/", ".")
        return Function(
            name=name,
            module=f"{folder}.{module}",
            handler=handler,
            timeout_seconds=float(setting("Timeout", 3)),
            memory_mb=int(setting("MemorySize", 128)),
            environment={key: str(value) for key, value in self._variables(resource).items()},
        )

    def _variables(self, resource: Mapping[str, Any]) -> dict[str, Any]:
        """What all functions have and its own, or nothing for one that leaves its environment out."""
        own = self._resolve(resource["Properties"].get("Environment", {}))
        if own is ABSENT:
            return {}
        shared = self._shared.get("Environment", {}).get("Variables", {})
        return {**self._resolve(shared), **own.get("Variables", {})}

    def _routes(self, apis: Mapping[str, Mapping[str, Any]]) -> Iterator[Route]:
        for function, _, given in self._events("HttpApi"):
            event = self._resolve(given)
            default = apis.get(event.get("ApiId", ""), {}).get("DefaultAuthorizer")
            authorizer = event.get("Auth", {}).get("Authorizer", default)
            yield Route(
                method=event.get("Method", "ANY").upper(),
                path=event.get("Path", "$default"),
                function=function,
                authorizer=None if authorizer in (None, "NONE") else authorizer,
            )

    def _queue(self, name: str, resource: Mapping[str, Any]) -> Queue:
        redrive = self._property(resource, "RedrivePolicy") or {}
        dead_letters = redrive.get("deadLetterTargetArn")
        return Queue(
            name=name,
            url=self._resolve({"Ref": name}),
            arn=self._resolve({"Fn::GetAtt": [name, "Arn"]}),
            visibility_seconds=float(self._property(resource, "VisibilityTimeout") or 30),
            dead_letters=_last_part(dead_letters) if dead_letters else None,
            most_receives=int(redrive.get("maxReceiveCount", 0)),
        )


def _authorizers(auth: Mapping[str, Any]) -> Iterator[Authorizer]:
    for name, given in auth.get("Authorizers", {}).items():
        version, simple = given.get("AuthorizerPayloadFormatVersion"), given.get("EnableSimpleResponses")
        if str(version) != "2.0" or not simple:
            raise TemplateInvalid(f"authorizer {name}: only payload 2.0 with simple responses is spoken here")
        identity = given.get("Identity", {})
        yield Authorizer(
            name=name,
            function=_last_part(given["FunctionArn"]),
            identity_headers=tuple(header.lower() for header in identity.get("Headers", [])),
            ttl_seconds=float(identity.get("ReauthorizeEvery", 0)),
        )


def _consumer(function: str, given: Mapping[str, Any]) -> Consumer:
    return Consumer(
        queue=_last_part(given["Queue"]),
        function=function,
        batch_size=int(given.get("BatchSize", 10)),
        most_at_once=int(given.get("ScalingConfig", {}).get("MaximumConcurrency", 1000)),
        reports_failures="ReportBatchItemFailures" in given.get("FunctionResponseTypes", []),
    )


def _last_part(arn: str) -> str:
    return arn.rpartition(":")[2]
