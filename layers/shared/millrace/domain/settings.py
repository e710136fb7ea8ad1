"""A tenant's choices about AI: whether leads are judged at all, when that begins, and by which model."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ConfigDict, Field

from millrace.domain.evaluations import Model
from millrace.errors import InvalidRequest

# In place of a model's name: the tenant's default, and in the tenant's own settings the installation's.
AUTO = "auto"
# Each choice by the key of its setting, and what holds where nobody has set it.
KEYS = {
    "ai_enabled": "ai_enabled",
    "auto_run_on_documents": "ai_auto_run_on_documents",
    "default_model": "ai_default_model",
}
UNSET: Mapping[str, bool | str] = {
    "ai_enabled": True,
    "auto_run_on_documents": False,
    "default_model": AUTO,
}


class ChangeAiSettings(Model):
    """What is left out stays as it is; nothing can be null."""

    model_config = ConfigDict(extra="forbid", strict=True)

    ai_enabled: bool = Field(  # type: ignore[assignment]  # left out, and so not looked at
        default=None, description="Without it every new evaluation is refused."
    )
    auto_run_on_documents: bool = Field(  # type: ignore[assignment]  # as above
        default=None, description="Judge a lead as soon as its documents are there."
    )
    default_model: str = Field(  # type: ignore[assignment]  # as above
        default=None,
        min_length=1,
        max_length=120,
        description="What `auto` means for you: one of `models`, or `auto` for the installation's choice.",
    )

    def values(self, *, models: Sequence[str]) -> dict[str, bool | str]:
        """What was said, by the keys of the settings. InvalidRequest for a model that is not configured."""
        if "default_model" in self.model_fields_set:
            check_model(self.default_model, models=models, field="default_model")
        return {KEYS[name]: getattr(self, name) for name in self.model_fields_set}


class AiSettings(Model):
    """What holds for the next evaluation."""

    ai_enabled: bool
    auto_run_on_documents: bool
    default_model: str
    models: list[str] = Field(description="Those that may be chosen.")


class AiSettingsAnswer(Model):
    data: AiSettings

    @classmethod
    def of(cls, kept: Mapping[str, Any], *, models: Sequence[str]) -> "AiSettingsAnswer":
        """From all of a tenant's settings. A model that is no longer configured is not used, nor shown."""
        holding = {name: kept.get(key, UNSET[name]) for name, key in KEYS.items()}
        if holding["default_model"] not in models:
            holding["default_model"] = AUTO
        return cls.model_validate({"data": {**holding, "models": list(models)}})


def check_model(wanted: str, *, models: Sequence[str], field: str) -> None:
    """InvalidRequest for what is neither `auto` nor configured: it lists what there is."""
    known = (AUTO, *models)
    if wanted not in known:
        rule = f"must be one of {', '.join(known)}"
        raise InvalidRequest(f"{field} {rule}.", fields=[{"field": field, "message": rule}])
