"""Files that are no video, or not all of one: each is refused for good, in words."""

import wave
from pathlib import Path

import pytest
from PIL import Image

from gpu.failures import (
    DamagedVideo,
    NotAVideo,
    NoVideoStream,
    RenderFailure,
    TruncatedVideo,
    VideoTooLarge,
    VideoTooLong,
)
from gpu.renders.framing import render_framing
from gpu.video import survey as surveying
from gpu.video.survey import survey
from millrace.domain.exports import FramingParams
from tests.gpu.films import make_film

PARAMS = FramingParams.model_validate(
    {"crop_keyframes": [{"frame": 0, "x": 0, "y": 0, "width": 9, "height": 16}]}
)


def refusal(path):
    with pytest.raises(RenderFailure) as caught:
        render_framing(PARAMS, source=path, target=path.with_suffix(".out"), tell=lambda share: None)
    assert caught.value.should_retry is False
    assert str(path.parent) not in caught.value.message
    return type(caught.value)


def cut(source: Path, target: Path, *, share: float) -> Path:
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * share)])
    return target


FTYP = b"\x00\x00\x00\x14ftypisom\x00\x00\x02\x00isom"
TEXT = b"not a video at all" * 500


@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 5000, b"GIF89a", TEXT, FTYP + TEXT, FTYP + b"\xfe" * 5000]
)
def test_garbage_is_no_video(tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)

    assert refusal(tmp_path / "a.mp4") is NotAVideo


def test_a_photograph_is_no_video(tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "photo.png")

    assert refusal(tmp_path / "photo.png") is NotAVideo


def test_a_playlist_that_points_elsewhere_is_no_video(tmp_path, reel):
    # Whoever could have it played would read the worker's own files and network.
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:2", "#EXTINF:2,", str(reel), "#EXT-X-ENDLIST", ""]
    (tmp_path / "list.m3u8").write_text("\n".join(lines))
    (tmp_path / "list.mp4").write_text(f"ffconcat version 1.0\nfile '{reel}'\n")

    assert refusal(tmp_path / "list.m3u8") is NotAVideo
    assert refusal(tmp_path / "list.mp4") is NotAVideo


def test_sound_alone_has_no_video_stream(tmp_path):
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", "NONE"))
        file.writeframes(b"\x00\x01" * 8000)
    make_film(tmp_path / "a.m4a", pictures=False)

    assert refusal(tmp_path / "a.wav") is NoVideoStream
    assert refusal(tmp_path / "a.m4a") is NoVideoStream


@pytest.mark.parametrize("share", [0.999, 0.8, 0.1])
@pytest.mark.parametrize("options", [{}, {"movflags": "+faststart"}])
def test_a_file_that_was_cut_off_is_no_whole_video(tmp_path, share, options):
    whole = make_film(tmp_path / "whole.mp4", seconds=3, options=options)

    assert refusal(cut(whole, tmp_path / "cut.mp4", share=share)) is TruncatedVideo


def test_a_matroska_file_that_was_cut_off_is_no_whole_video(tmp_path):
    whole = make_film(tmp_path / "whole.mkv", seconds=3)

    assert refusal(cut(whole, tmp_path / "cut.mkv", share=0.5)) is TruncatedVideo


def test_a_video_whose_pictures_cannot_be_decoded_is_damaged(tmp_path):
    path = make_film(tmp_path / "a.mkv", sound=False, codec="ffv1")
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) * 2 // 3] = b"\xff" * (len(data) * 2 // 3 - len(data) // 3)
    path.write_bytes(data)

    assert refusal(path) in (DamagedVideo, TruncatedVideo)


def test_a_video_that_is_too_large_or_too_long_is_refused(reel, monkeypatch):
    with monkeypatch.context() as smaller:
        smaller.setattr(surveying, "MOST_PIXELS", 320 * 180 - 1)
        with pytest.raises(VideoTooLarge, match="320 by 180"):
            survey(reel)
    monkeypatch.setattr(surveying, "MOST_SECONDS", 1.9)
    with pytest.raises(VideoTooLong):
        survey(reel)
