"""Who asks: what an API key stands for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

Scope = Literal[
    "evaluations:read",
    "evaluations:write",
    "exports:read",
    "exports:write",
    "usage:read",
    "settings:admin",
    "keys:admin",
]

# All that a key may be allowed to do, and what it may do unless somebody says otherwise.
SCOPES: tuple[Scope, ...] = get_args(Scope)
USUAL_SCOPES = tuple(scope for scope in SCOPES if not scope.endswith(":admin"))


@dataclass(frozen=True, slots=True)
class KeyUser:
    """For whom a job is counted: the user of the key that asks for it, and never whom `X-User-Id` names.

    `limited_kinds`: the kinds of job that are limited by user at all.
    """

    user_id: str
    key_id: str
    limited_kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Caller:
    """The tenant, the user and the rights of the key that signed a request."""

    tenant_id: str
    user_id: str
    key_id: str
    scopes: frozenset[str]
    tier: str

    def key_user(self, limited_kinds: tuple[str, ...]) -> KeyUser:
        return KeyUser(self.user_id, self.key_id, limited_kinds)

    def to_context(self) -> dict[str, str]:
        """What the authorizer hands to API Gateway, which carries only flat values."""
        return {
            "tenant_id": self.tenant_id,
            "user_id": self.user_id,
            "key_id": self.key_id,
            "scopes": " ".join(sorted(self.scopes)),
            "tier": self.tier,
        }

    @classmethod
    def of_context(cls, context: Mapping[str, Any]) -> Self:
        """What API Gateway hands on from the authorizer."""
        return cls(
            tenant_id=context["tenant_id"],
            user_id=context["user_id"],
            key_id=context["key_id"],
            scopes=frozenset(context["scopes"].split()),
            tier=context["tier"],
        )
