"""Where things are in a picture: the crop at a frame, its place in the output, the regions of a frame."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Keyframe(Protocol):
    frame: int
    x: float
    y: float
    width: float
    height: float


class Region(Protocol):
    start_frame: int
    end_frame: int
    x: float
    y: float
    radius_x: float
    radius_y: float


@dataclass(frozen=True, slots=True)
class Size:
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Rectangle:
    x: float
    y: float
    width: float
    height: float


def whole(picture: Size) -> Rectangle:
    return Rectangle(0.0, 0.0, float(picture.width), float(picture.height))


def crop_at(keyframes: Sequence[Keyframe], frame: int, *, picture: Size) -> Rectangle:
    """What is seen at this frame: linear between two keyframes, the nearest one's before and after all."""
    later = bisect_right(keyframes, frame, key=lambda keyframe: keyframe.frame)
    before, after = keyframes[max(later - 1, 0)], keyframes[min(later, len(keyframes) - 1)]
    distance = after.frame - before.frame
    share = (frame - before.frame) / distance if distance > 0 else 0.0

    def between(name: str) -> float:
        first, second = getattr(before, name), getattr(after, name)
        return float(first + (second - first) * share)

    wanted = Rectangle(between("x"), between("y"), between("width"), between("height"))
    return clamp(wanted, picture=picture)


def clamp(wanted: Rectangle, *, picture: Size) -> Rectangle:
    """Moved into the picture, and made smaller only where it is larger than that. Never less than a pixel."""
    width = min(max(wanted.width, 1.0), picture.width)
    height = min(max(wanted.height, 1.0), picture.height)
    x = min(max(wanted.x, 0.0), picture.width - width)
    y = min(max(wanted.y, 0.0), picture.height - height)
    return Rectangle(x, y, width, height)


def place(crop: Rectangle, *, output: Size) -> Rectangle:
    """Where a crop stands in the output: whole, in the middle, in its own aspect; bars fill the rest.

    In whole pixels, and the whole output when only rounding is between them.
    """
    scale = min(output.width / crop.width, output.height / crop.height)
    width = min(max(round(crop.width * scale), 1), output.width)
    height = min(max(round(crop.height * scale), 1), output.height)
    return Rectangle((output.width - width) // 2, (output.height - height) // 2, width, height)


def fit_within(picture: Size, *, longest: int) -> Size:
    """The picture's size with even sides, scaled down where a side is longer than that."""
    scale = min(1.0, longest / max(picture.width, picture.height))
    sides = (max(2, int(side * scale) // 2 * 2) for side in (picture.width, picture.height))
    return Size(*sides)


def covers(region: Region, frame: int) -> bool:
    return region.start_frame <= frame <= region.end_frame


def is_outside(region: Region, *, picture: Size) -> bool:
    """Nothing of the ellipse's box is in the picture."""
    return (
        region.x + region.radius_x <= 0
        or region.y + region.radius_y <= 0
        or region.x - region.radius_x >= picture.width
        or region.y - region.radius_y >= picture.height
    )
