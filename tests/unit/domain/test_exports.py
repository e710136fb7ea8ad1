"""What an export may be told, and the words in which the rest is refused."""

import pytest
from pydantic import ValidationError

from millrace.domain.exports import MOST_PARAMS_BYTES, CreateExport, TypedParams, canonical_params
from millrace.entry.validation import refuse_input

KEYFRAME = {"frame": 0, "x": 0, "y": 0, "width": 90, "height": 160}
REGION = {"start_frame": 5, "end_frame": 9, "x": 50, "y": 60, "radius_x": 10, "radius_y": 20}
CLIP = {"start_time": 1, "end_time": 2.5, "name": "A goal"}
FRAMING = {"crop_keyframes": [KEYFRAME]}
OVERLAY = {"highlight_regions": [REGION], "effect_type": "blur"}
ANNOTATE = {"clips": [CLIP]}


def read(export_type, params, **other):
    body = {"type": export_type, "params": params, "project_id": "p1", "input_video_key": "t/a.mp4", **other}
    return CreateExport.model_validate(body)


def refusal(export_type, params, **other):
    """The fields that are named, each with what is said of it."""
    with pytest.raises(ValidationError) as caught:
        read(export_type, params, **other)
    located = [{**error, "loc": ("body", *error["loc"])} for error in caught.value.errors()]
    return {fault["field"]: fault["message"] for fault in refuse_input(located).facts["fields"]}


def test_what_is_left_out_has_its_default():
    region = read("overlay", OVERLAY).params.highlight_regions[0]
    framing = read("framing", FRAMING).params
    clip = read("annotate", ANNOTATE).params.clips[0]

    assert (region.opacity, region.color) == (1.0, "#ffffff")
    assert (framing.start_time, framing.end_time, framing.clip_index) == (0.0, None, 0)
    assert (framing.output_width, framing.output_height) == (1080, 1920)
    assert (clip.rating, clip.notes, clip.tags) == (3, "", [])


@pytest.mark.parametrize(
    ("params", "field", "message"),
    [
        ({}, "params.crop_keyframes", "is required"),
        ({"crop_keyframes": []}, "params.crop_keyframes", "must not be empty"),
        ({"crop_keyframes": [KEYFRAME, KEYFRAME]}, "params.crop_keyframes", "must have rising frames"),
        (
            {"crop_keyframes": [{**KEYFRAME, "frame": 8}, {**KEYFRAME, "frame": 7}]},
            "params.crop_keyframes",
            "must have rising frames",
        ),
        (
            {"crop_keyframes": [{**KEYFRAME, "frame": -1}]},
            "params.crop_keyframes.0.frame",
            "must be at least 0",
        ),
        (
            {"crop_keyframes": [{**KEYFRAME, "frame": 1.5}]},
            "params.crop_keyframes.0.frame",
            "must be a whole number",
        ),
        (
            {"crop_keyframes": [KEYFRAME, {**KEYFRAME, "frame": 3, "width": 0}]},
            "params.crop_keyframes.1.width",
            "must be greater than 0.0",
        ),
        ({"crop_keyframes": [{**KEYFRAME, "x": "1"}]}, "params.crop_keyframes.0.x", "must be a number"),
        ({**FRAMING, "start_time": 4, "end_time": 4}, "params.end_time", "must be after start_time"),
        ({**FRAMING, "start_time": -1}, "params.start_time", "must be at least 0.0"),
        ({**FRAMING, "output_width": 1081}, "params.output_width", "must be a multiple of 2"),
        ({**FRAMING, "output_height": 8000}, "params.output_height", "must be at most 3840"),
        ({**FRAMING, "clip_index": -1}, "params.clip_index", "must be at least 0"),
        ({**FRAMING, "clips": []}, "params.clips", "is not a known field"),
        ([], "params", "must be an object"),
    ],
)
def test_a_framing_that_makes_no_sense_is_refused_in_words(params, field, message):
    assert refusal("framing", params) == {field: message}


@pytest.mark.parametrize(
    ("region", "field", "message"),
    [
        ({"end_frame": 4}, "end_frame", "must not be before start_frame"),
        ({"radius_x": 0}, "radius_x", "must be greater than 0.0"),
        ({"radius_y": -3}, "radius_y", "must be greater than 0.0"),
        ({"opacity": 1.01}, "opacity", "must be at most 1.0"),
        ({"opacity": -0.1}, "opacity", "must be at least 0.0"),
        ({"color": "white"}, "color", "must be a color such as #ffcc00"),
        ({"color": "#ffffff\n"}, "color", "must be a color such as #ffcc00"),
        ({"color": 7}, "color", "must be text"),
        ({"shape": "box"}, "shape", "is not a known field"),
    ],
)
def test_a_region_that_makes_no_sense_is_refused_in_words(region, field, message):
    params = {**OVERLAY, "highlight_regions": [REGION, REGION | region]}

    assert refusal("overlay", params) == {f"params.highlight_regions.1.{field}": message}


def test_a_region_of_one_frame_is_one():
    read("overlay", {**OVERLAY, "highlight_regions": [REGION | {"start_frame": 9}]})


@pytest.mark.parametrize(
    ("params", "field", "message"),
    [
        ({"highlight_regions": [REGION]}, "params.effect_type", "is required"),
        ({**OVERLAY, "effect_type": "zoom"}, "params.effect_type", "must be one of 'blur' or 'spotlight'"),
        ({**OVERLAY, "highlight_regions": []}, "params.highlight_regions", "must not be empty"),
        ({**OVERLAY, "crop_keyframes": []}, "params.crop_keyframes", "must not be empty"),
        (
            {**OVERLAY, "crop_keyframes": [KEYFRAME, KEYFRAME]},
            "params.crop_keyframes",
            "must have rising frames",
        ),
    ],
)
def test_an_overlay_that_makes_no_sense_is_refused_in_words(params, field, message):
    assert refusal("overlay", params) == {field: message}


@pytest.mark.parametrize(
    ("clip", "field", "message"),
    [
        ({"end_time": 1}, "end_time", "must be after start_time"),
        ({"start_time": "soon"}, "start_time", "must be a number"),
        ({"name": ""}, "name", "must not be empty"),
        ({"name": "a\tb"}, "name", "must be one line, without control characters"),
        ({"name": "x" * 201}, "name", "must have at most 200 characters"),
        ({"tags": ["a\nb"]}, "tags.0", "must be one line, without control characters"),
        ({"rating": 0}, "rating", "must be at least 1"),
        ({"rating": 6}, "rating", "must be at most 5"),
        ({"rating": True}, "rating", "must be a whole number"),
        ({"tags": "goal"}, "tags", "must be a list"),
        ({"tags": [""]}, "tags.0", "must not be empty"),
    ],
)
def test_a_clip_that_makes_no_sense_is_refused_in_words(clip, field, message):
    assert refusal("annotate", {"clips": [CLIP | clip]}) == {f"params.clips.0.{field}": message}


def test_as_many_regions_as_can_be_painted_in_time_may_cover_one_frame():
    follow_each_other = [REGION | {"start_frame": at, "end_frame": at + 7} for at in range(100)]

    read("overlay", {**OVERLAY, "highlight_regions": follow_each_other})

    one_more = {
        **OVERLAY,
        "highlight_regions": [*follow_each_other, REGION | {"start_frame": 57, "end_frame": 57}],
    }
    assert refusal("overlay", one_more) == {
        "params.highlight_regions": "must have at most 8 regions at once: frame 57 has more"
    }


@pytest.mark.parametrize(
    ("export_type", "params", "field", "most"),
    [
        ("overlay", {**OVERLAY, "highlight_regions": [REGION] * 2_001}, "highlight_regions", "2000"),
        ("framing", {"crop_keyframes": [KEYFRAME] * 4_001}, "crop_keyframes", "4000"),
        ("overlay", {**OVERLAY, "crop_keyframes": [KEYFRAME] * 4_001}, "crop_keyframes", "4000"),
        ("annotate", {"clips": [CLIP] * 201}, "clips", "200"),
    ],
)
def test_what_one_export_may_be_told_is_bounded(export_type, params, field, most):
    assert refusal(export_type, params) == {f"params.{field}": f"must have at most {most} entries"}


def test_every_bad_field_is_named_at_once():
    clips = [CLIP | {"rating": 9}, CLIP | {"end_time": 0}]

    assert set(refusal("annotate", {"clips": clips}, project_id="")) == {
        "params.clips.0.rating",
        "params.clips.1.end_time",
        "project_id",
    }


def test_an_unknown_type_is_refused_and_its_params_are_not_judged():
    assert refusal("montage", {"any": 1}) == {"type": "must be one of 'framing', 'overlay' or 'annotate'"}


def test_params_are_those_of_the_type_even_if_they_would_fit_another():
    assert set(refusal("overlay", FRAMING)) == {"params.highlight_regions", "params.effect_type"}


def test_params_may_fill_256_kb_and_not_a_byte_more():
    tags = ["é" * 24 for _ in range(50)]
    clips = [CLIP | {"tags": tags} for _ in range(98)]

    def of_size(size):
        missing = size - len(canonical_params(read("annotate", {"clips": clips}).params).encode())
        assert 0 < missing <= 12_000
        each, rest = divmod(missing, len(clips))
        noted = [
            clip | {"notes": "n" * (each + (rest if number == 0 else 0))} for number, clip in enumerate(clips)
        ]
        return {"clips": noted}

    fitting = read("annotate", of_size(MOST_PARAMS_BYTES)).params

    assert len(canonical_params(fitting).encode()) == MOST_PARAMS_BYTES
    assert refusal("annotate", of_size(MOST_PARAMS_BYTES + 1)) == {"params": "must be at most 256 KB"}


def test_the_same_export_has_the_same_text_however_it_was_written():
    plain = read("overlay", OVERLAY).params
    spoken = {
        "effect_type": "blur",
        "highlight_regions": [{"color": "#ffffff", "opacity": 1, **REGION, "x": 50.0}],
    }

    assert canonical_params(read("overlay", spoken).params) == canonical_params(plain)
    assert canonical_params(
        read("overlay", {**OVERLAY, "effect_type": "spotlight"}).params
    ) != canonical_params(plain)


def test_params_that_were_kept_are_read_again_as_they_were():
    params = read("annotate", ANNOTATE).params

    assert TypedParams.of("annotate", params=params.model_dump(mode="json")).params == params
