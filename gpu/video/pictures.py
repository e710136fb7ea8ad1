"""Single pictures: as a person sees them, cropped, scaled, and placed in the output."""

from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from PIL import Image

from millrace.domain.framing import Rectangle, Size, place, whole

UNSPECIFIED_COLORSPACE = 2
HD_LINES = 720
TURNS = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
}


def upright(frame: VideoFrame, *, rotation: int) -> Image.Image:
    """The frame in RGB, turned by as many degrees (against the clock) as its file says."""
    colorspace = None
    if frame.colorspace == UNSPECIFIED_COLORSPACE:
        # What every player guesses.
        colorspace = Colorspace.ITU709 if frame.height >= HD_LINES else Colorspace.ITU601
    image: Image.Image = frame.reformat(format="rgb24", src_colorspace=colorspace).to_image()  # type: ignore[no-untyped-call]
    return image.transpose(TURNS[rotation]) if rotation in TURNS else image


def show(image: Image.Image, crop: Rectangle, *, output: Size) -> Image.Image:
    """The crop, whole and in its own aspect; black bars where the output's differs."""
    placed = place(crop, output=output)
    size = Size(int(placed.width), int(placed.height))
    sides = (crop.x, crop.y, crop.x + crop.width, crop.y + crop.height)
    if crop == whole(size) and image.size == (size.width, size.height):
        shown = image
    else:
        shown = image.resize((size.width, size.height), Image.Resampling.BICUBIC, box=sides)
    if size == output:
        return shown
    canvas = Image.new("RGB", (output.width, output.height))
    canvas.paste(shown, (int(placed.x), int(placed.y)))
    return canvas
