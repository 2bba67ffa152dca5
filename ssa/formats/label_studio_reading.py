"""Label Studio's export (JSON) → pictures with regions: brush strokes and polygons, as people left them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ssa.errors import Fault, InputError
from ssa.formats.brush_rle_reading import mask_of
from ssa.formats.coco_reading import filled_polygons
from ssa.formats.foreign import ForeignFile, ForeignPicture, ForeignRegion
from ssa.formats.label_studio import REGION
from ssa.json_fields import (
    FieldError,
    float_of,
    integer_of,
    is_list,
    list_of,
    object_of,
    objects_of,
    text_of,
    texts_of,
)
from ssa.types import RLE

Fields = Mapping[str, Any]

_MOST_PX = 1 << 28
_LABELS = ("brushlabels", "polygonlabels", "labels")


def is_label_studio(payload: object) -> bool:
    """Whether JSON looks like an export of Label Studio: a list of tasks with ``data``."""
    return is_list(payload) and all(
        isinstance(task, Mapping) and isinstance(task.get("data"), Mapping) for task in payload
    )


def read_label_studio(payload: object) -> ForeignFile:
    """The tasks' pictures, in order, each with the regions of its last annotation that wasn't skipped.

    A task that nobody has annotated says nothing and is passed over, predictions or not. Of a region with
    several labels the first counts. A picture with a region that is neither a brush stroke nor a polygon, or
    that was turned, is left out and told. Raises ``InputError`` for what is no such file.
    """
    pictures: list[ForeignPicture] = []
    faults: list[Fault] = []
    try:
        for task in objects_of(payload, "tasks"):
            name = _picture(object_of(task.get("data"), "data"))
            annotation = _last(objects_of(task.get("annotations") or [], "annotations"))
            if annotation is None:
                continue
            try:
                pictures.append(_read(name, objects_of(annotation.get("result"), "result")))
            except (FieldError, ValueError) as error:
                faults.append(Fault(name, "read", _reason(error)))
    except FieldError as error:
        raise InputError(
            f"expected Label Studio's export as JSON, with a sound '{error}'; got none or another kind of "
            "value; export as JSON, not JSON-MIN"
        ) from error
    return ForeignFile(tuple(pictures), tuple(faults))


def _picture(data: Fields) -> str:
    """The picture's name: ``image`` as our tasks have it, else the only text."""
    texts = [value for value in data.values() if isinstance(value, str)]
    if "image" in data:
        return text_of(data["image"], "image")
    if len(texts) != 1:
        raise FieldError("image")
    return texts[0]


def _last(annotations: Sequence[Fields]) -> Fields | None:
    finished = [one for one in annotations if not one.get("was_cancelled")]
    return max(finished, key=lambda one: str(one.get("updated_at", "")), default=None)


def _read(name: str, results: Iterable[Fields]) -> ForeignPicture:
    together: dict[str, list[Fields]] = {}
    for number, row in enumerate(results):
        # A whole picture's choice or rating, and lines between regions, are about no region.
        if row.get("type") not in ("choices", "rating", "textarea", "relation"):
            together.setdefault(str(row.get("id", number)), []).append(row)
    regions = tuple(_region(number, rows) for number, rows in together.items())
    sizes = {(one.mask.height, one.mask.width) for one in regions}
    if len(sizes) > 1:
        raise FieldError("original_height")
    return ForeignPicture(name, sizes.pop() if sizes else None, regions)


def _region(number: str, rows: Sequence[Fields]) -> ForeignRegion:
    """A region of its rows: one with the shape and the label, or one each."""
    values = [object_of(row.get("value"), "value") for row in rows]
    shapes = [i for i, value in enumerate(values) if "rle" in value or "points" in value]
    if len(shapes) != 1:
        raise FieldError("type")
    labels = [
        label
        for value in values
        for name in _LABELS
        for label in texts_of(value.get(name) or [], name)
        if label.strip()
    ]
    own = number.removeprefix(REGION) if number.startswith(REGION) else None
    mask = _mask(rows[shapes[0]], values[shapes[0]])
    return ForeignRegion(mask, labels[0] if labels else None, own)


def _mask(row: Fields, value: Fields) -> RLE:
    height, width = (
        integer_of(row.get(name), name) for name in ("original_height", "original_width")
    )
    if min(height, width) < 1 or height * width > _MOST_PX:
        raise FieldError("original_height")
    if row.get("image_rotation"):
        raise FieldError("image_rotation")
    if "rle" in value:
        return mask_of(_bytes(value["rle"]), height, width)
    points = [_point(one, height, width) for one in list_of(value["points"], "points")]
    if len(points) < 3:
        raise FieldError("points")
    return filled_polygons([[side for point in points for side in point]], height, width)


def _bytes(value: object) -> bytes:
    try:
        return bytes(list_of(value, "rle"))
    except (TypeError, ValueError) as error:
        raise FieldError("rle") from error


def _point(value: object, height: int, width: int) -> tuple[float, float]:
    """A corner in pixels; the file has it in hundredths of the picture."""
    point = [float_of(one, "points") for one in list_of(value, "points")]
    if len(point) != 2 or not all(-100 <= one <= 200 for one in point):
        raise FieldError("points")
    return point[0] * width / 100, point[1] * height / 100


def _reason(error: FieldError | ValueError) -> str:
    if isinstance(error, FieldError):
        return (
            f"expected brush strokes and polygons of an upright picture; got another '{error}'; the picture "
            "was left as it is"
        )
    return (
        f"expected Label Studio's run lengths; got others: {error}; the picture was left as it is"
    )
