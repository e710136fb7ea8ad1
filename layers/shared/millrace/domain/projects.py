"""Requests and answers about projects: what exports belong to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field

from millrace.domain.evaluations import Model
from millrace.domain.exports import ONE_LINE, PLAIN


class PutProject(Model):
    """What a project is called."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=PLAIN), ONE_LINE]


class ProjectView(Model):
    project_id: str
    name: str
    user_id: str = Field(description="Who made it, and owns it.")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        return cls.model_validate({**row, "project_id": row["id"]})


class ProjectAnswer(Model):
    data: ProjectView
