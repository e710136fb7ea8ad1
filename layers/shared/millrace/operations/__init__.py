"""What an operator may do, written once: for the command line here, and for `operate` in the cloud."""

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

from millrace.domain.keys import NO_KEY, holds_key, read_key
from millrace.env import Env
from millrace.errors import CommandRefused
from millrace.operations import audit, doorbells, jobs, keys, quotas, tenants

Facts = dict[str, Any]

# Each takes env and its arguments by name, and returns facts that JSON can say.
OPERATIONS: Mapping[str, Callable[..., Facts]] = {
    "tenants add": tenants.add_tenant,
    "tenants list": tenants.list_tenants,
    "tenants set-tier": tenants.set_tier_of_tenant,
    "tenants set-limit": tenants.set_limit_of_tenant,
    "sites add": tenants.add_site,
    "sites list": tenants.list_sites,
    "sites set-tier": tenants.set_tier_of_site,
    "sites set-limit": tenants.set_limit_of_site,
    "keys issue": keys.issue,
    "keys list": keys.list_newest,
    "keys revoke": keys.revoke,
    "keys rotate": keys.rotate,
    "jobs list": jobs.list_newest,
    "jobs show": jobs.show,
    "jobs retry": jobs.retry,
    "jobs cancel": jobs.cancel,
    "quotas verify": quotas.verify,
    "audit list": audit.list_newest,
    "audit verify": audit.verify,
    "redrive": doorbells.redrive,
}


def run(name: str, arguments: Mapping[str, Any], env: Env) -> Facts:
    """Carry out one command. CommandRefused, or another of our errors, says why it was not."""
    operation = OPERATIONS.get(name)
    if operation is None:
        raise CommandRefused(f"This installation knows no command {name!r}. Is it as new as your checkout?")
    try:
        signature(operation).bind(env, **arguments)
    except TypeError as error:
        raise CommandRefused(f"{name}: {error}. Is the installation as new as your checkout?") from None
    return operation(env, **without_keys(arguments))


def without_keys(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, with a key's id in the place of a whole key where the id is asked for.

    CommandRefused for any other key, or part of one: answers, rows and logs repeat what was given.
    """
    plain = dict(arguments)
    if key := read_key(str(plain.get("key_id"))):
        plain["key_id"] = key.id
    for name, value in plain.items():
        if isinstance(value, str) and holds_key(value):
            raise CommandRefused(f"{name} {NO_KEY}. A key's id begins with key_: millrace keys list")
    return plain
