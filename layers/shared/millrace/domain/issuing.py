"""Requests and answers about API keys: issued, listed, rotated, revoked. A key is shown once."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from millrace.domain.callers import Caller, Scope
from millrace.domain.evaluations import Model
from millrace.domain.exports import broken_rule, read_as
from millrace.domain.keys import MOST_DAYS, MOST_GRACE_HOURS, NO_KEY, USUAL_GRACE_HOURS, holds_key
from millrace.domain.naming import ID, NAME
from millrace.errors import InvalidRequest, RightsExceeded

# Each has more than the one before.
Tier = Literal["free", "pro", "enterprise"]
TIERS = get_args(Tier)

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def read_moment(value: Any) -> Any:
    """A time as people write it, with its zone. Pydantic would take a number of seconds too."""
    if value is None:
        return None
    if isinstance(value, str) and MOMENT.fullmatch(value):
        with suppress(ValueError):
            return datetime.fromisoformat(value)
    raise PydanticCustomError("datetime_type", "not a time")


def refuse_key(text: str) -> str:
    if holds_key(text):
        raise broken_rule(NO_KEY)
    return text


Id = Annotated[str, Field(pattern=ID.pattern), read_as(ID.words), AfterValidator(refuse_key)]
Name = Annotated[str, Field(pattern=NAME.pattern), read_as(NAME.words), AfterValidator(refuse_key)]


class Expiring(Model):
    """What may be said of a key's end, in one of two ways."""

    model_config = ConfigDict(extra="forbid", strict=True)

    expires_at: Annotated[AwareDatetime | None, BeforeValidator(read_moment)] = Field(
        default=None, description="With a zone, as 2026-12-17T10:00:00Z. At most ten years from now."
    )
    expires_in_days: Annotated[int, Field(ge=1, le=MOST_DAYS)] | None = Field(
        default=None, description="Instead of `expires_at`."
    )

    def ending(self, now: datetime) -> datetime | None:
        """None when nothing was said. InvalidRequest when it makes no sense."""
        if self.expires_at is None:
            return None if self.expires_in_days is None else now + timedelta(days=self.expires_in_days)
        if self.expires_in_days is not None:
            raise refuse_end("stands beside expires_in_days: give one of them")
        if not now < self.expires_at <= now + timedelta(days=MOST_DAYS):
            raise refuse_end("must be in the future, and within ten years")
        return self.expires_at


class IssueKey(Expiring):
    """A key for somebody of yours. It can have no right that the key which asks for it has not."""

    name: Name = Field(description="What it is for, in a person's words.")
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=100)] = Field(description="What it may do.")
    user_id: Id | None = Field(
        default=None, description="Who answers for it. Without it: who answers for the key that asks."
    )
    tier: Tier | None = Field(default=None, description="Without it: that of the key that asks.")
    test: bool = Field(default=False, description="It begins with `mrk_test_` instead of `mrk_live_`.")


class RotateKey(Expiring):
    """Without `expires_at` or `expires_in_days` the new key expires when the old one would have."""

    grace_hours: Annotated[int, Field(ge=0, le=MOST_GRACE_HOURS)] = Field(
        default=USUAL_GRACE_HOURS,
        description="For how long the old key lives on. With 0 it ends at once, but whoever used it just "
        "before may be let in for a minute yet, as when a key is revoked.",
    )

    @property
    def grace(self) -> timedelta:
        return timedelta(hours=self.grace_hours)


class KeyView(Model):
    """A key as it is kept: all but the key itself."""

    key_id: str
    name: str
    prefix: str = Field(description="How it begins, to tell it from others.")
    user_id: str
    scopes: list[str]
    tier: Tier
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = Field(default=None, description="To the minute.")
    revoked_at: datetime | None = None
    replaced_by: str | None = Field(default=None, description="The key that it was rotated to.")

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "KeyView":
        named = {"key_id": row["id"], "prefix": row["key_prefix"], "tier": row["quota_tier"]}
        return cls.model_validate({**row, **named})


class KeyAnswer(Model):
    data: KeyView


class KeyList(Model):
    """The newest first, also those that have ended."""

    data: list[KeyView]
    next_cursor: str | None = None


class IssuedKey(KeyView):
    """The only time that the key itself is shown."""

    key: str = Field(repr=False, description="Send it as `Authorization: Bearer KEY`, and keep it safe.")


class IssuedKeyAnswer(Model):
    data: IssuedKey


class ReplacedKey(Model):
    """The old key, and when it ends."""

    key_id: str
    expires_at: datetime


class RotatedKey(IssuedKey):
    """The new key, shown this time only."""

    replaced: ReplacedKey


class RotatedKeyAnswer(Model):
    data: RotatedKey


def check_rights(caller: Caller, *, scopes: Sequence[str], tier: str) -> None:
    """RightsExceeded when a key that asks for another with these rights has not all of them itself."""
    if lacking := sorted(set(scopes) - caller.scopes):
        named = ", ".join(lacking)
        raise RightsExceeded(
            f"The key that asks lacks {named}, so it can give it to no other.", scopes=lacking
        )
    if TIERS.index(tier) > TIERS.index(caller.tier):
        raise RightsExceeded(
            f"The key that asks is of the tier {caller.tier}, so it can issue none of the tier {tier}.",
            tier=tier,
        )


def refuse_end(rule: str) -> InvalidRequest:
    return InvalidRequest(f"expires_at {rule}.", fields=[{"field": "expires_at", "message": rule}])
