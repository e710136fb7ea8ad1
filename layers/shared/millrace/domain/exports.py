"""Requests of the export routes, and what each type of export may be told: its params."""

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import (
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)
from pydantic.functional_validators import WrapValidator
from pydantic_core import PydanticCustomError

from millrace.domain.evaluations import Model

MOST_PARAMS_BYTES = 256 << 10
LATEST_SECONDS = 24 * 3600
LAST_FRAME = 100_000_000
FARTHEST = 100_000
# What a render has to do for each picture, and how often it has to begin anew, is bounded.
MOST_REGIONS = 2_000
MOST_REGIONS_AT_ONCE = 8
MOST_KEYFRAMES = 4_000
MOST_CLIPS = 200

ExportType = Literal["framing", "overlay", "annotate"]

PLAIN = r"^[^\x00-\x1f\x7f]+$"


def broken_rule(rule: str) -> PydanticCustomError:
    """A rule that pydantic has no word for, said as what follows the field's name."""
    return PydanticCustomError("broken_rule", "{rule}", {"rule": rule})


def read_as(rule: str) -> WrapValidator:
    """Says what the pattern means: by itself a pattern is no help to a person."""

    def read(value: Any, read_text: ValidatorFunctionWrapHandler) -> Any:
        try:
            return read_text(value)
        except ValidationError as error:
            if error.errors()[0]["type"] == "string_pattern_mismatch":
                raise broken_rule(rule) from None
            raise

    return WrapValidator(read)


ONE_LINE = read_as("must be one line, without control characters")
Color = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$"), read_as("must be a color such as #ffcc00")]

Frame = Annotated[int, Field(ge=0, le=LAST_FRAME)]
Coordinate = Annotated[float, Field(ge=-FARTHEST, le=FARTHEST)]
Length = Annotated[float, Field(gt=0, le=FARTHEST)]
Seconds = Annotated[float, Field(ge=0, le=LATEST_SECONDS)]
Side = Annotated[int, Field(ge=160, le=3840, multiple_of=2)]
Tag = Annotated[str, Field(min_length=1, max_length=50, pattern=PLAIN), ONE_LINE]


class Strict(Model):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class CropKeyframe(Strict):
    """What is seen at one frame: a rectangle in pixels of the input's picture, from its top left corner."""

    frame: Frame = Field(description="Counted from 0, the first picture that is rendered.")
    x: Coordinate
    y: Coordinate
    width: Length
    height: Length


def check_rising(keyframes: list[CropKeyframe]) -> list[CropKeyframe]:
    frames = [keyframe.frame for keyframe in keyframes]
    if any(later <= earlier for earlier, later in pairwise(frames)):
        raise broken_rule("must have rising frames")
    return keyframes


CropKeyframes = Annotated[
    list[CropKeyframe],
    Field(
        min_length=1,
        max_length=MOST_KEYFRAMES,
        description=(
            "Linear between two, the nearest before the first and after the last. A rectangle that reaches "
            "out of the picture is moved into it."
        ),
    ),
]


class FramingParams(Strict):
    """Follow the play: a crop that moves, scaled without stretching to the output's size."""

    clip_index: int = Field(
        default=0, ge=0, le=1_000_000, description="Which clip of the project this is; kept, not used."
    )
    crop_keyframes: CropKeyframes
    start_time: Seconds = Field(default=0.0, description="Seconds into the input.")
    end_time: Seconds | None = Field(default=None, description="Without it: to the input's end.")
    output_width: Side = 1080
    output_height: Side = 1920

    _rising = field_validator("crop_keyframes")(check_rising)

    @field_validator("end_time")
    @classmethod
    def check_end(cls, end_time: float | None, info: ValidationInfo) -> float | None:
        return None if end_time is None else check_after_start(end_time, given=info.data)


class HighlightRegion(Strict):
    """An ellipse in pixels of the input's picture, from `start_frame` up to and with `end_frame`."""

    start_frame: Frame = Field(description="Counted from 0, the input's first picture.")
    end_frame: Frame
    x: Coordinate = Field(description="Of the middle, as y.")
    y: Coordinate
    radius_x: Length
    radius_y: Length
    opacity: float = Field(default=1.0, ge=0, le=1, description="How strong the effect is.")
    color: Color = Field(default="#ffffff", description="Of the light inside the ellipse.")

    @field_validator("end_frame")
    @classmethod
    def check_end(cls, end_frame: int, info: ValidationInfo) -> int:
        if end_frame < info.data.get("start_frame", 0):
            raise broken_rule("must not be before start_frame")
        return end_frame


def check_at_once(regions: list[HighlightRegion]) -> list[HighlightRegion]:
    begins = [(region.start_frame, 1) for region in regions]
    ends = [(region.end_frame + 1, -1) for region in regions]
    at_once = 0
    # At the same frame an end comes first.
    for frame, change in sorted(begins + ends):
        at_once += change
        if at_once > MOST_REGIONS_AT_ONCE:
            raise broken_rule(
                f"must have at most {MOST_REGIONS_AT_ONCE} regions at once: frame {frame} has more"
            )
    return regions


class OverlayParams(Strict):
    """Draw the eye to somebody. The output is 1080 by 1920."""

    highlight_regions: list[HighlightRegion] = Field(
        min_length=1,
        max_length=MOST_REGIONS,
        description=f"At most {MOST_REGIONS_AT_ONCE} of them at any one frame.",
    )
    effect_type: Literal["blur", "spotlight"] = Field(
        description="What becomes of all that is outside the regions: blurred, or dark."
    )
    crop_keyframes: CropKeyframes | None = None

    @field_validator("highlight_regions")
    @classmethod
    def check_regions(cls, regions: list[HighlightRegion]) -> list[HighlightRegion]:
        return check_at_once(regions)

    @field_validator("crop_keyframes")
    @classmethod
    def check_keyframes(cls, keyframes: list[CropKeyframe] | None) -> list[CropKeyframe] | None:
        return None if keyframes is None else check_rising(keyframes)


class Clip(Strict):
    """A part of the input that is worth seeing."""

    start_time: Seconds
    end_time: Seconds
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=PLAIN), ONE_LINE]
    notes: str = Field(default="", max_length=2_000)
    rating: int = Field(default=3, ge=1, le=5)
    tags: Annotated[list[Tag], Field(max_length=50)] = Field(default=[])

    @field_validator("end_time")
    @classmethod
    def check_end(cls, end_time: float, info: ValidationInfo) -> float:
        return check_after_start(end_time, given=info.data)


class AnnotateParams(Strict):
    """The clips one after the other as one video, and a list of them."""

    clips: Annotated[list[Clip], Field(min_length=1, max_length=MOST_CLIPS)]


def check_after_start(end_time: float, *, given: Mapping[str, Any]) -> float:
    # A start that is wrong itself has its own message.
    if "start_time" in given and end_time <= given["start_time"]:
        raise broken_rule("must be after start_time")
    return end_time


ExportParams = FramingParams | OverlayParams | AnnotateParams
PARAMS: dict[str, type[ExportParams]] = {
    "framing": FramingParams,
    "overlay": OverlayParams,
    "annotate": AnnotateParams,
}


def canonical_params(params: ExportParams) -> str:
    """The same text for the same export, whatever order and defaults its request was written with."""
    said = params.model_dump(mode="json")
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def read_params(value: Any, _read_any: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """By `type`, and not whichever fits: a fault is then one of the model that was meant."""
    if "type" not in info.data:
        # An unknown type is refused already.
        return value
    params = PARAMS[info.data["type"]].model_validate(value)
    if len(canonical_params(params).encode()) > MOST_PARAMS_BYTES:
        raise broken_rule("must be at most 256 KB")
    return params


class TypedParams(Strict):
    """A type of export with the params of that type."""

    type: ExportType
    params: Annotated[ExportParams, WrapValidator(read_params)] = Field(description="Those of the type.")

    @classmethod
    def of(cls, export_type: str, *, params: Mapping[str, Any]) -> Self:
        return cls.model_validate({"type": export_type, "params": params})


class CreateExport(TypedParams):
    """Ask for a video to be rendered."""

    project_id: str = Field(min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+$")
    input_video_key: str = Field(
        min_length=1, max_length=1_024, description="Of an upload that is complete.", pattern=PLAIN
    )
