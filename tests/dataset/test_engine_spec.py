"""Recipes: plain values that travel, checked before anything loads, with all that annotations depend on."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ssa.config import PUBLISHED_RULES, PhraseSettings, SelectionSettings
from ssa.dataset.engine_spec import EngineSpec
from ssa.errors import InputError, WeightsError
from ssa.weights import SHIPPED_ROOT


@pytest.fixture
def spec() -> EngineSpec:
    return EngineSpec.of(SHIPPED_ROOT, "tiny", device="cpu")


def with_settings(spec: EngineSpec, **changes: object) -> EngineSpec:
    return replace(spec, settings=replace(spec.settings, **changes))  # type: ignore[arg-type]


def test_a_recipe_travels_to_another_process(spec: EngineSpec) -> None:
    spec.check()
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert spec.root.is_absolute()


def test_a_bundle_that_is_not_there_is_told_at_once() -> None:
    with pytest.raises(WeightsError, match="huge"):
        EngineSpec.of(SHIPPED_ROOT, "huge")


def test_a_segmentor_must_be_a_folder_that_is_asked_for(spec: EngineSpec, tmp_path: Path) -> None:
    added = EngineSpec.of(SHIPPED_ROOT, "tiny", tmp_path / "seg")
    with pytest.raises(InputError, match="must be coco, ade20k or a folder; got seg"):
        added.check()
    (tmp_path / "seg").mkdir()
    with pytest.raises(InputError, match="belongs to --labels closed-set"):
        added.check()
    with_settings(added, label_mode="closed-set").check()
    with pytest.raises(InputError, match="segmentor must be one of coco, ade20k; got 'cityscapes'"):
        with_settings(spec, segmentor="cityscapes").check()


def test_phrases_need_weights_that_find_them(spec: EngineSpec) -> None:
    verified = with_settings(spec, phrases=PhraseSettings("verify"))
    for asked in (verified, with_settings(spec, mask_source="phrases")):
        with pytest.raises(InputError, match=r"tiny offers none.* --from tiny --phrases DIR"):
            asked.check()


def test_the_place_is_chosen_where_it_was_not_told(spec: EngineSpec) -> None:
    placed = spec.placed()
    assert (placed.device, placed.dtype) == ("cpu", "float32")
    assert replace(placed, dtype=None).placed() == placed
    with pytest.raises(InputError) as refused:
        replace(spec, device="nowhere").placed()
    assert "\n" not in str(refused.value)


def test_the_identity_holds_all_that_annotations_depend_on(
    spec: EngineSpec, tmp_path: Path
) -> None:
    (tmp_path / "weights.bin").write_bytes(b"1")
    added = replace(spec, segmentor=tmp_path)
    digests = [
        spec.identity(None).digest,
        spec.identity("given").digest,
        replace(spec, detail=True).identity(None).digest,
        replace(spec, dtype="bfloat16").identity(None).digest,
        with_settings(spec, parts=True).identity(None).digest,
        added.identity(None).digest,
    ]
    (tmp_path / "weights.bin").write_bytes(b"2")
    digests.append(added.identity(None).digest)
    assert len(set(digests)) == len(digests)


def test_the_identity_leaves_out_what_changes_no_annotation(spec: EngineSpec) -> None:
    assert replace(spec, lanes=7).identity(None).digest == spec.identity(None).digest


def test_a_worker_shares_its_cores_among_its_lanes(spec: EngineSpec) -> None:
    threads = torch.get_num_threads()
    try:
        worker = replace(spec, lanes=2).worker(cores=6)
        assert list(worker.run([])) == []
    finally:
        torch.set_num_threads(threads)


def test_selecting_all_masks_is_what_runs_of_before_did(spec: EngineSpec) -> None:
    assert "selection" not in spec.identity(None).text
    assert "looks" not in spec.identity(None).text
    assert "phrases" not in spec.identity(None).text
    by_phrases = with_settings(spec, mask_source="phrases")
    assert '"settings.phrases.least_score": 0.5' in by_phrases.identity(None).text
    verified = with_settings(spec, phrases=PhraseSettings("verify"))
    assert '"settings.phrases.use": "verify"' in verified.identity(None).text
    assert '"settings.looks": true' in with_settings(spec, looks=True).identity(None).text
    for later in ("rules", "bank_top_k", "dense_side_px", "ranker_looks_once"):
        assert later not in spec.identity(None).text
    published = with_settings(spec, labels=replace(spec.settings.labels, rules=PUBLISHED_RULES))
    assert '"settings.labels.rules.cut_boxes": true' in published.identity(None).text
    apart = with_settings(spec, selection=SelectionSettings(overlaps=False))
    assert '"settings.selection.overlaps": false' in apart.identity(None).text
