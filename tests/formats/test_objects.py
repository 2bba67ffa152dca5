"""Converters: supervision for real; FiftyOne by a double of its two classes, and by its absence."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import supervision as sv
from example_pictures import annotation, example_pictures

import ssa
from ssa.errors import InputError
from ssa.formats.categories import Categories
from ssa.masks.run_lengths import decode
from ssa.types import AnnotatedImage


def annotated(number: int = 0) -> AnnotatedImage:
    picture = example_pictures()[number]
    return AnnotatedImage(picture.height, picture.width, picture.annotations)


def test_supervision_gets_masks_boxes_and_names() -> None:
    picture = annotated()
    found = ssa.to_supervision(picture)
    assert isinstance(found, sv.Detections)
    masks = [decode(one.proposal.rle) for one in picture.annotations]
    np.testing.assert_array_equal(found.mask, masks)
    # supervision's own boxes hold the last pixel, and end there; these end behind it.
    np.testing.assert_array_equal(
        found.xyxy, np.add(sv.mask_to_xyxy(np.array(masks)), [0, 0, 1, 1])
    )
    assert found.data["class_name"].tolist() == ["ring", "pair", "corner"]
    assert found.class_id.tolist() == [0, 1, 2]
    np.testing.assert_allclose(found.confidence, 0.9)


def test_supervision_takes_and_draws_it() -> None:
    found = ssa.to_supervision(annotated())
    large = found[found.area > 500]
    assert large.data["class_name"].tolist() == ["ring", "pair"]
    scene = sv.MaskAnnotator().annotate(np.zeros((60, 80, 3), dtype=np.uint8), found)
    assert scene[found.mask.any(axis=0)].any(axis=1).all()


def test_classes_are_the_categories_where_given() -> None:
    found = ssa.to_supervision(annotated(), Categories(["sky", "corner", "pair", "ring"]))
    assert found.class_id.tolist() == [3, 2, 1]


def test_bare_masks_are_one_class_and_no_masks_no_detections() -> None:
    bare = ssa.to_supervision(annotated(2))
    assert bare.data["class_name"].tolist() == ["region", "region"]
    assert bare.class_id.tolist() == [0, 0]
    assert len(ssa.to_supervision(annotated(1))) == 0


def test_fiftyone_gets_boxes_in_shares_and_masks_cut_to_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    classes = SimpleNamespace(Detection=SimpleNamespace, Detections=SimpleNamespace)
    monkeypatch.setitem(sys.modules, "fiftyone", classes)
    picture = annotated()
    nothing = annotation(np.zeros((60, 80), dtype=np.bool_))
    picture = AnnotatedImage(60, 80, (*picture.annotations, nothing))
    found = ssa.to_fiftyone(picture).detections
    assert [one.label for one in found] == ["ring", "pair", "corner"]
    for one, original in zip(found, picture.annotations, strict=False):
        left, top, width, height = (
            np.multiply(one.bounding_box, [80, 60, 80, 60]).round().astype(int)
        )
        whole = np.zeros((60, 80), dtype=np.bool_)
        whole[top : top + height, left : left + width] = one.mask
        np.testing.assert_array_equal(whole, decode(original.proposal.rle))
        assert all(one.mask.take(end, axis).any() for axis in (0, 1) for end in (0, -1))
        assert one.class_proposals == list(original.class_proposals)


@pytest.mark.parametrize("name", ["supervision", "fiftyone"])
def test_without_the_library_it_says_what_to_install(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=f"pip install {name}") as caught:
        getattr(ssa, f"to_{name}")(annotated())
    assert "\n" not in str(caught.value)


def test_the_package_offers_them_without_loading_anything() -> None:
    code = (
        "import sys, ssa; assert 'ssa.formats.objects' not in sys.modules; "
        "from ssa import to_supervision; assert 'supervision' not in sys.modules; "
        "print(to_supervision.__module__)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "ssa.formats.objects"


def test_the_package_has_nothing_else_by_surprise() -> None:
    with pytest.raises(AttributeError, match="to_nothing"):
        ssa.to_nothing  # noqa: B018
