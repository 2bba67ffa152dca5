"""The JSON at the edge as it is written: exact keys, plain values."""

import json
from base64 import b64decode
from dataclasses import replace

import numpy as np
import pytest
from sa1b_examples import NINE_KEYS, example, example_mask, in_tree

from ssa.formats import sa1b
from ssa.masks import run_lengths as masks
from ssa.types import RLE, AnnotatedImage, Annotation, Evidence, ScoredLabel


def test_a_record_has_exactly_the_nine_published_keys() -> None:
    assert json.loads(sa1b.dumps(example())) == [
        {
            "segmentation": {"size": [4, 6], "counts": masks.encode(example_mask()).counts},
            "bbox": [2, 1, 2, 1],
            "area": 6,
            "predicted_iou": 0.5,
            "stability_score": 0.96875,
            "crop_box": [0, 0, 6, 4.5],
            "point_coords": [[3.0, 1.5]],
            "class_name": "car",
            "class_proposals": ["red car", "car"],
        }
    ]
    assert [list(record) for record in sa1b.to_records(example())] == [NINE_KEYS]


def test_whole_pixels_are_written_as_integers() -> None:
    assert b'"bbox":[2,1,2,1],"area":6,' in sa1b.dumps(example())


def test_detail_is_a_tenth_key() -> None:
    (record,) = sa1b.to_records(example(), detail=True)
    assert list(record) == [*NINE_KEYS, "detail"]
    assert record["detail"] == {
        "votes": [
            {"source": "coco", "label": "car", "share": 0.75},
            {"source": "ade20k", "label": "van", "share": 1.0},
        ],
        "caption": "a red car",
        "noun_phrases": ["red car", "car"],
        "clip": [{"label": "red car", "score": 0.625}, {"label": "car", "score": 0.375}],
        "clipseg": [{"label": "car", "share": 0.75}, {"label": "red car", "share": 0.25}],
        "margin": 0.5,
    }


def test_detail_of_a_name_has_all_its_keys_even_where_nothing_was_said() -> None:
    (annotation,) = example().annotations
    silent = replace(annotation.evidence, votes=(), caption="", noun_phrases=())
    image = replace(example(), annotations=(replace(annotation, evidence=silent),))
    (record,) = sa1b.to_records(image, detail=True)
    assert list(record["detail"]) == [
        "votes",
        "caption",
        "noun_phrases",
        "clip",
        "clipseg",
        "margin",
    ]


def test_detail_names_the_models_that_spoke() -> None:
    (annotation,) = example().annotations
    spoken = replace(annotation.evidence, models=(("caption", "blip_large"), ("clip", "vit_l_14")))
    image = replace(example(), annotations=(replace(annotation, evidence=spoken),))
    (record,) = sa1b.to_records(image, detail=True)
    assert record["detail"]["models"] == {"caption": "blip_large", "clip": "vit_l_14"}


def test_a_place_in_the_tree_follows_the_nine_keys() -> None:
    whole, part = in_tree(None, 0), in_tree(0, 1, part_of="car")
    records = sa1b.to_records(AnnotatedImage(4, 6, (whole, part)), detail=True)
    assert list(records[0]) == [*NINE_KEYS, "id", "parent_id", "level", "detail"]
    assert list(records[1]) == [*NINE_KEYS, "id", "parent_id", "level", "part_of", "detail"]
    assert [records[0][key] for key in ("id", "parent_id", "level")] == [0, None, 0]
    assert [records[1][key] for key in ("id", "parent_id", "level", "part_of")] == [1, 0, 1, "car"]


def test_a_confidence_stands_behind_the_name_where_there_is_one() -> None:
    sure = replace(example().annotations[0], confidence=0.875)
    (record,) = sa1b.to_records(AnnotatedImage(4, 6, (sure,)))
    assert list(record) == [*NINE_KEYS, "confidence"]
    assert record["confidence"] == 0.875


def test_a_region_that_a_phrase_found_says_so() -> None:
    missed = replace(example().annotations[0], source="phrase", confidence=0.5)
    (record,) = sa1b.to_records(AnnotatedImage(4, 6, (missed,)))
    assert list(record) == [*NINE_KEYS, "confidence", "source"]
    assert record["source"] == "phrase"


def test_detail_says_how_well_phrases_agree_and_who_says_so() -> None:
    (one,) = example().annotations
    agreement = (ScoredLabel("car", 0.75), ScoredLabel("van", 0.0))
    for moved_to, keys in ((None, ["phrases"]), ("car", ["phrases", "moved_to"])):
        evidence = replace(one.evidence, agreement=agreement, moved_to=moved_to)
        (record,) = sa1b.to_records(
            AnnotatedImage(4, 6, (replace(one, evidence=evidence),)), detail=True
        )
        assert list(record["detail"])[6:] == keys
        assert record["detail"]["phrases"] == [
            {"label": "car", "score": 0.75},
            {"label": "van", "score": 0.0},
        ]
        assert record["detail"].get("moved_to") == moved_to


def test_an_embedding_is_half_floats_in_base64() -> None:
    (named,) = example().annotations
    seen = replace(named, evidence=replace(named.evidence, embedding=(1.0, -0.5)))
    (record,) = sa1b.to_records(AnnotatedImage(4, 6, (seen,)), detail=True)
    assert b64decode(record["detail"]["embedding"]) == bytes([0, 0x3C, 0, 0xB8])


def test_what_the_label_bank_gave_is_told_where_it_was_asked() -> None:
    (named,) = example().annotations
    asked = replace(named, evidence=replace(named.evidence, bank=(ScoredLabel("lorry", 0.25),)))
    (record,) = sa1b.to_records(AnnotatedImage(4, 6, (asked,)), detail=True)
    assert record["detail"]["bank"] == [{"label": "lorry", "score": 0.25}]
    (record,) = sa1b.to_records(AnnotatedImage(4, 6, (named,)), detail=True)
    assert "bank" not in record["detail"]


def test_without_labels_there_are_no_keys_of_semantics() -> None:
    bare = Annotation(example().annotations[0].proposal, None)
    (record,) = sa1b.to_records(AnnotatedImage(4, 6, (bare,)))
    assert list(record) == NINE_KEYS[:7]


def test_detail_of_a_group_says_which_and_nothing_of_stages_that_were_not_asked() -> None:
    proposal = replace(example().annotations[0].proposal, granularity=3)
    grouped = Annotation(proposal, "cluster 2", ("cluster 2",), Evidence(cluster_id=2))
    (record,) = sa1b.to_records(AnnotatedImage(4, 6, (grouped,)), detail=True)
    assert record["detail"] == {"cluster": 2, "granularity": 3}


def test_no_masks_are_an_empty_list() -> None:
    assert sa1b.dumps(AnnotatedImage(3, 3, ())) == b"[]"


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_number_that_json_has_not_is_refused(bad: float) -> None:
    image = example()
    proposal = replace(image.annotations[0].proposal, predicted_iou=bad)
    broken = replace(image, annotations=(replace(image.annotations[0], proposal=proposal),))
    with pytest.raises(ValueError, match="finite"):
        sa1b.dumps(broken)


def test_equal_values_of_another_type_give_equal_bytes() -> None:
    image = example()
    (annotation,) = image.annotations
    plain = replace(
        annotation.proposal,
        bbox_xywh=(2, 1, 2, 1),
        area_px=6,
        predicted_iou=0.5,
        points_xy=((3, 1.5),),
    )
    assert sa1b.dumps(
        replace(image, annotations=(replace(annotation, proposal=plain),))
    ) == sa1b.dumps(image)


def test_minus_zero_is_zero() -> None:
    image = example()
    proposal = replace(
        image.annotations[0].proposal, stability_score=-0.0, points_xy=((-0.0, 1.0),)
    )
    content = sa1b.dumps(
        replace(image, annotations=(replace(image.annotations[0], proposal=proposal),))
    )
    assert b"-" not in content


def test_rle_survives_as_text() -> None:
    (record,) = sa1b.to_records(example())
    rle = RLE(*record["segmentation"]["size"], record["segmentation"]["counts"])
    assert np.array_equal(masks.decode(rle), example_mask())
