"""HTTP routes: Powertools finds, validates and calls them; what every request goes through is here."""

import inspect
import threading
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypedDict, TypeVar, Unpack, get_type_hints

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.event_handler.middlewares.openapi_validation import (
    OpenAPIRequestValidationMiddleware as ValidationMiddleware,
)
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Query

from millrace.entry.envelope import Answer, render_refusal, render_success
from millrace.entry.exchange import Exchange, Route
from millrace.entry.invocation import LambdaContext
from millrace.entry.logs import log_fault
from millrace.entry.request import check_path, check_path_value
from millrace.entry.resolver import Resolver
from millrace.entry.validation import refuse_input
from millrace.env import Env
from millrace.errors import InternalError, InvalidRequest, MethodNotAllowed, Refusal, RouteNotFound

Handler = TypeVar("Handler", bound=Callable[..., Any])


class Rules(TypedDict, total=False):
    """How a route is guarded and answers. It names the `scope` a key needs, or says that it is `public`."""

    scope: str
    public: bool
    status: int
    headers: tuple[str, ...]
    creates: str
    once: bool
    also: tuple[int, ...]
    refuses: tuple[type[Refusal], ...]
    most_bytes: int


class Routes:
    """The routes of one function. Called with an event it answers in API Gateway's format, whatever happens.

    A handler takes the request and env, then by name the path's placeholders, the body, and what may stand in
    the query, which has defaults. It returns a pydantic model or an Answer. What it raises as a Refusal is
    answered as such, all else as InternalError.

    `groups` are routes of the same function that stand in modules of their own.
    """

    def __init__(self, *groups: "Routes") -> None:
        self.all: list[Route] = [route for group in groups for route in group.all]
        self._of_thread = threading.local()

    def get(self, rule: str, **rules: Unpack[Rules]) -> Callable[[Handler], Handler]:
        return self._define("GET", rule, rules)

    def post(self, rule: str, **rules: Unpack[Rules]) -> Callable[[Handler], Handler]:
        return self._define("POST", rule, rules)

    def put(self, rule: str, **rules: Unpack[Rules]) -> Callable[[Handler], Handler]:
        return self._define("PUT", rule, rules)

    def delete(self, rule: str, **rules: Unpack[Rules]) -> Callable[[Handler], Handler]:
        return self._define("DELETE", rule, rules)

    def __call__(self, event: Mapping[str, Any], context: LambdaContext, env: Env) -> dict[str, Any]:
        exchange = Exchange.begin(event, context=context, env=env)
        resolver = self._resolver()
        resolver.context["exchange"] = exchange
        answer = resolver.resolve(event, context)
        exchange.finish(status=answer["statusCode"])
        return answer

    def _define(self, method: str, rule: str, rules: Rules) -> Callable[[Handler], Handler]:
        def define(handler: Handler) -> Handler:
            self.all.append(Route(method, rule, handler, **rules))
            return handler

        return define

    def _resolver(self) -> Resolver:
        """This thread's resolver, made when the thread brings its first request."""
        if not hasattr(self._of_thread, "resolver"):
            self._of_thread.resolver = self._build()
        resolver: Resolver = self._of_thread.resolver
        return resolver

    def _build(self) -> Resolver:
        resolver = Resolver(debug=False)
        resolver.exception_handler(Exception)(lambda error: self._refuse(error, resolver=resolver))
        for route in self.all:
            # In this order: who has no right to ask learns nothing of what a right request looks like.
            guards: list[Callable[..., Any]] = [admitting(route), ValidationMiddleware()]  # type: ignore[no-untyped-call]
            define = resolver.route(route.rule, route.method, status_code=route.status, middlewares=guards)
            define(calling(route, resolver=resolver))
        return resolver

    def _refuse(self, error: Exception, *, resolver: Resolver) -> Response[str]:
        exchange: Exchange = resolver.context["exchange"]
        refusal = self._refusal_of(error, path=resolver.current_event.path, exchange=exchange)
        if refusal.status >= 500:
            log_fault(error)
        exchange.refusal = refusal
        takes_key = exchange.route is not None and exchange.route.takes_key
        return exchange.send(render_refusal(refusal, now=exchange.env.now(), takes_key=takes_key))

    def _refusal_of(self, error: Exception, *, path: str, exchange: Exchange) -> Refusal:
        if isinstance(error, Refusal):
            return error
        if isinstance(error, NotFoundError):
            return self._miss(path, method=exchange.method)
        if isinstance(error, RequestValidationError):
            return refuse_input(error.errors())
        return InternalError(request_id=exchange.request_id)

    def _miss(self, path: str, *, method: str) -> Refusal:
        """Why no route took this."""
        taking = {route.method: values for route in self.all if (values := route.values_in(path)) is not None}
        try:
            check_path(path)
            for name, value in taking.get(method, {}).items():
                check_path_value(value, name=name)
        except InvalidRequest as refusal:
            return refusal
        allowed = ", ".join(sorted(taking))
        return MethodNotAllowed(headers={"Allow": allowed}) if taking else RouteNotFound()


def admitting(route: Route) -> Callable[[Resolver, NextMiddleware], Response[str]]:
    """The gate before one route."""

    def admit(resolver: Resolver, next_middleware: NextMiddleware) -> Response[str]:
        exchange: Exchange = resolver.context["exchange"]
        exchange.admit(route, event=resolver.current_event, path_values=resolver.request.path_parameters)
        return next_middleware(resolver)

    return admit


def calling(route: Route, *, resolver: Resolver) -> Callable[..., Response[str]]:
    """The handler as Powertools sees it: without its first two parameters, which are ours to give."""

    def call(**arguments: Any) -> Response[str]:
        exchange: Exchange = resolver.context["exchange"]
        returned = route.handler(exchange.request, exchange.env, **arguments)
        answer = returned if isinstance(returned, Answer) else Answer(returned)
        exchange.replayed = answer.replayed
        return exchange.send(render_success(answer, status=route.status, now=exchange.env.now()))

    hints = get_type_hints(route.handler, include_extras=True)
    parameters = list(inspect.signature(route.handler).parameters.values())[2:]
    for name in (one.name for one in parameters if one.default is not one.empty):
        # Powertools must be told where a value is that has bounds of its own.
        hints[name] = Annotated[hints[name], Query(alias=name.rstrip("_"))]
    seen = [parameter.replace(annotation=hints[parameter.name]) for parameter in parameters]
    call.__name__ = route.handler.__name__
    call.__doc__ = route.handler.__doc__
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in seen}
    call.__signature__ = inspect.Signature(seen)  # type: ignore[attr-defined]  # what inspect looks for first
    return call
