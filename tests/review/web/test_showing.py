"""What the page is told of a region."""

from __future__ import annotations

from pathlib import Path

from review_scenes import desk_of, regions, write_results

from ssa.drawing.colours import hexadecimal, label_colour
from ssa.review.web.showing import colour_of, masks_version, shown


def test_a_region_with_all_that_the_record_has(tmp_path: Path) -> None:
    out = write_results(tmp_path / "out", [regions()])
    with desk_of(out) as desk:
        said = shown(*desk.now(0))
    first = said["regions"][2]
    assert first["label"] == first["found"] == "door"
    assert first["colour"] == hexadecimal(label_colour("door"))
    assert first["proposals"] == [["door", 0.6], ["thing", 0.4], ["other", None]]
    assert first["votes"] == [["coco", "door", 0.9], ["ade20k", "thing", 0.5]]
    assert (first["margin"], first["confidence"], first["caption"]) == (0.2, 0.3, "a door")
    assert first["ref"][:2] == ["photos/0.jpg", 2]
    assert colour_of(None) == "#808080"


def test_the_version_changes_with_a_mask_alone(tmp_path: Path) -> None:
    out = write_results(tmp_path / "out", [regions()])
    with desk_of(out) as desk:
        masks = [one.mask for one in desk.now(0)[1].regions]
    assert masks_version(masks) == masks_version(list(masks))
    assert masks_version(masks) != masks_version(masks[1:])
