"""The picture with its regions tinted, outlined and named.

Each pixel takes the colour of the smallest region on it, so that parts show on their wholes; each name
stands in the middle of the widest visible part of its region. Where there is a label map, its classes are
what is drawn.
"""

from __future__ import annotations

from ssa.drawing.legend import with_legend
from ssa.drawing.names import place_names, write
from ssa.drawing.regions import regions_of
from ssa.drawing.tint import tint
from ssa.types import AnnotatedImage, RGBImage


def draw_overlay(
    image: RGBImage,
    annotated: AnnotatedImage,
    legend: bool = False,
    doubtful_below: float | None = None,
) -> RGBImage:
    """Draw all regions and their names over a picture (H, W, 3) RGB; a new array.

    It is of the picture's size; with a ``legend`` this stands beside or under the picture, and every region
    that shows has its name or its number in the legend. A region whose confidence is known and less than
    ``doubtful_below`` is grey, with a question mark behind its name. Without annotations the result equals
    the picture. Raises ``ValueError`` where sizes differ.
    """
    if image.shape != (annotated.height, annotated.width, 3):
        raise ValueError(
            f"expected a picture of shape {(annotated.height, annotated.width, 3)}; got {image.shape}"
        )
    regions, owner = regions_of(annotated, doubtful_below or 0.0)
    if not regions:
        return image.copy()
    names = place_names(regions, owner, numbered=legend)
    drawn = write(tint(image, regions, owner), names.values())
    return with_legend(drawn, regions, names) if legend else drawn
