"""The miniature bundle, end to end: loaded from the repository, it names a drawn street for real."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from benchmarks.drawn_masks import draw_masks
from ssa.config import BatchSettings
from ssa.device import choose_placement
from ssa.errors import WeightsError
from ssa.formats.sa1b import dumps
from ssa.labelling.vocabulary import parse_vocabulary
from ssa.loading import (
    LoadedEngine,
    load_engine,
    load_segmentor,
    load_stages,
    warm_up,
    with_segmentor,
)
from ssa.masks.run_lengths import decode
from ssa.models.blip import BlipCaptioner
from ssa.models.clipseg import ClipSegChooser
from ssa.models.sam import SamMaskProposer
from ssa.pictures.decoding import decode_image
from ssa.types import AnnotatedImage, RGBImage
from ssa.weights import open_bundle
from toyworld.scenes import draw_scene

ROOT = Path(__file__).parents[1]
STREET = ROOT / "examples" / "street.png"


CPU = choose_placement("cpu")
LOADERS: dict[str, Callable[[Path], object]] = {
    "sam": lambda folder: SamMaskProposer.load(folder, CPU),
    "captions": lambda folder: BlipCaptioner.load(folder, CPU, 5),
}


@pytest.fixture(scope="module")
def loaded() -> LoadedEngine:
    return load_engine(ROOT / "weights", "tiny", device="cpu")


@pytest.fixture(scope="module")
def street(loaded: LoadedEngine) -> AnnotatedImage:
    return loaded.engine.annotate(decode_image(STREET), loaded.settings)


def test_the_street_is_named_rightly(street: AnnotatedImage) -> None:
    words = {word for found in street.annotations for word in str(found.class_name).split()}
    assert words >= {"house", "truck", "tree", "dog", "sky", "grass"}


def test_every_name_is_one_of_its_proposals_and_they_of_the_evidence(
    loaded: LoadedEngine, street: AnnotatedImage
) -> None:
    top_k = loaded.settings.labels.top_k
    for annotation in street.annotations:
        seen = annotation.evidence
        assert annotation.class_name in annotation.class_proposals
        assert annotation.class_proposals == tuple(s.label for s in seen.ranking[:top_k])
        assert {vote.source for vote in seen.votes} == {"coco", "ade20k"}
        assert all(0 <= vote.share <= 1 for vote in seen.votes)
        assert sum(s.score for s in seen.ranking) == pytest.approx(1, abs=1e-5)
        assert sum(s.score for s in seen.shares) == pytest.approx(1, abs=1e-5)
        assert seen.margin is not None
        assert 0 <= seen.margin <= 1


def test_proposals_describe_their_masks(street: AnnotatedImage) -> None:
    for annotation in street.annotations:
        mask = decode(annotation.proposal.rle)
        assert mask.shape == (street.height, street.width)
        assert annotation.proposal.area_px == mask.sum()
        left, top, width, height = annotation.proposal.bbox_xywh
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        assert (left, left + width) == (columns[0], columns[-1])
        assert (top, top + height) == (rows[0], rows[-1])


def test_the_same_input_gives_the_same_bytes(loaded: LoadedEngine, street: AnnotatedImage) -> None:
    again = loaded.engine.annotate(decode_image(STREET), loaded.settings)
    assert dumps(again, True) == dumps(street, True)


# Each asks for models that the others don't.
MODES: list[dict[str, Any]] = [
    {},
    {"label_mode": "clusters", "name_clusters": True},
    {"label_mode": "closed-set"},
    {"vocabulary": parse_vocabulary("car: automobile\nhouse\ntree\nsky\ngrass")},
]


@pytest.mark.parametrize("changes", MODES, ids=["open", "clusters", "closed-set", "vocabulary"])
def test_two_threads_get_what_one_gets(loaded: LoadedEngine, changes: dict[str, Any]) -> None:
    settings = replace(loaded.settings, **changes)
    settings = settings.searching("sam", points_per_side=8)
    scenes = [draw_scene(seed).image for seed in (7, 194)]
    expected = [dumps(loaded.engine.annotate(scene, settings), True) for scene in scenes]
    # A fresh one, so that caches are filled while both work.
    engine = load_engine(ROOT / "weights", "tiny", device="cpu").engine
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(2) as threads:
            found = list(threads.map(lambda scene: engine.annotate(scene, settings), scenes * 2))
    finally:
        sys.setswitchinterval(usual_s)
    assert [dumps(one, True) for one in found] == expected * 2


def test_a_full_batch_of_noise_warms_up_every_stage(loaded: LoadedEngine) -> None:
    crops: list[int] = []

    class Counting:
        def caption(self, some: Sequence[RGBImage]) -> list[str]:
            crops.append(len(some))
            return loaded.stages.captioner.caption(some)

    batches = replace(loaded.settings.batches, captioner=5)
    warm_up(replace(loaded.stages, captioner=Counting()), replace(loaded.settings, batches=batches))
    assert crops == [5]


def test_a_vocabulary_names_what_it_has_and_no_more(loaded: LoadedEngine) -> None:
    own = "house: building, cottage\ntree: trees\nsky\ngrass: lawn, field, meadow\nroad: street"
    settings = replace(loaded.settings, vocabulary=parse_vocabulary(own))
    names = {
        one.class_name for one in loaded.engine.annotate(decode_image(STREET), settings).annotations
    }
    # The street has a truck and a dog too.
    assert {"house", "tree", "sky", "grass", "unknown"} <= names
    assert names <= {"house", "tree", "sky", "grass", "road", "unknown"}


def test_one_encoding_serves_masks_and_clusters(
    loaded: LoadedEngine, street: AnnotatedImage
) -> None:
    settings = replace(loaded.settings, label_mode="clusters")
    found = [annotation.proposal for annotation in street.annotations]
    at_once = loaded.engine.annotate(decode_image(STREET), settings)
    afterwards = loaded.engine.label(decode_image(STREET), found, settings)
    assert at_once == afterwards
    assert len({one.evidence.cluster_id for one in at_once.annotations}) > 1


def test_the_bundles_own_segmentors_give_closed_sets(loaded: LoadedEngine) -> None:
    assert set(loaded.stages.closed_set) == {"coco", "ade20k"}
    assert loaded.settings.segmentor in loaded.stages.closed_set


def test_an_added_segmentor_is_called_by_its_folder(loaded: LoadedEngine, tmp_path: Path) -> None:
    (tmp_path / "city").symlink_to(ROOT / "weights" / "tiny" / "coco_segmentor")
    both = with_segmentor(loaded.stages, tmp_path / "city", CPU)
    scene = draw_scene(7).image
    added, own = (both.closed_set[name].segment(scene) for name in ("city", "coco"))
    assert (added.source, own.source) == ("city", "coco")
    assert np.array_equal(added.class_ids, own.class_ids)
    assert set(loaded.stages.closed_set) == {"coco", "ade20k"}


def test_an_added_segmentor_needs_a_name_of_its_own(loaded: LoadedEngine, tmp_path: Path) -> None:
    (tmp_path / "coco").mkdir()
    with pytest.raises(WeightsError, match="got 'coco', which the bundle's own segmentor has"):
        with_segmentor(loaded.stages, tmp_path / "coco", CPU)


@pytest.mark.parametrize("config", [None, "{", "[]", '{"model_type": 3}', '{"model_type": "clip"}'])
def test_a_folder_without_a_segmentor_is_told(tmp_path: Path, config: str | None) -> None:
    folder = tmp_path / "city"
    folder.mkdir()
    if config is not None:
        (folder / "config.json").write_text(config)
    with pytest.raises(WeightsError, match="city") as caught:
        load_segmentor(folder, CPU, "city")
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("seed", [7, 194])
def test_crops_one_by_one_get_the_names_they_get_in_batches(
    loaded: LoadedEngine, seed: int
) -> None:
    scene = draw_scene(seed, 224, 256).image
    proposals = draw_masks(24, *scene.shape[:2], seed=seed)
    one_by_one = replace(loaded.settings, batches=BatchSettings(captioner=1, ranker=1, chooser=1))
    batched = loaded.engine.label(scene, proposals, loaded.settings)
    alone = loaded.engine.label(scene, proposals, one_by_one)
    for first, second in zip(batched.annotations, alone.annotations, strict=True):
        assert first.class_name == second.class_name
        assert first.class_proposals == second.class_proposals
        assert first.evidence.caption == second.evidence.caption
        scores = {scored.label: scored.score for scored in second.evidence.ranking}
        assert {s.label: s.score for s in first.evidence.ranking} == pytest.approx(scores, abs=1e-4)


def test_logits_of_a_batch_are_those_of_its_crops_alone(loaded: LoadedEngine) -> None:
    chooser = loaded.stages.chooser
    assert isinstance(chooser, ClipSegChooser)
    street = decode_image(STREET)
    crops = [street[y : y + 150, x : x + 220] for y in (0, 300, 500) for x in (0, 250, 500)]
    labels = [["car", "house", "dog", "tree", "sky"][: 2 + number % 4] for number in range(9)]
    together = chooser.logits(crops, labels)
    for crop, own, logits in zip(crops, labels, together, strict=True):
        torch.testing.assert_close(chooser.logits([crop], [own])[0], logits, atol=1e-4, rtol=0)


def test_a_wide_a_tiny_and_an_empty_picture_go_through(loaded: LoadedEngine) -> None:
    for shape in ((1, 1, 3), (10, 20_000, 3), (64, 64, 3)):
        result = loaded.engine.annotate(np.full(shape, 200, np.uint8), loaded.settings)
        assert (result.height, result.width) == shape[:2]
        found = [annotation.proposal.rle for annotation in result.annotations]
        assert len(set(found)) == len(found)


def test_every_bundle_has_its_settings(loaded: LoadedEngine) -> None:
    assert loaded.settings == loaded.bundle.spec.settings
    assert loaded.placement == CPU


def test_a_damaged_file_is_named_and_nothing_is_loaded(tmp_path: Path) -> None:
    root = tmp_path / "weights"
    shutil.copytree(ROOT / "weights", root)
    damaged = root / "tiny" / "sam" / "model.safetensors"
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(WeightsError, match=r"sam/model\.safetensors"):
        load_engine(root, "tiny", device="cpu")


def test_of_several_damaged_models_the_first_is_named(tmp_path: Path) -> None:
    root = tmp_path / "weights"
    shutil.copytree(ROOT / "weights", root)
    bundle = open_bundle(root, "tiny")
    for name in (
        "clip/open_clip_config.json",
        "captions/config.json",
        "ade20k_segmentor/config.json",
    ):
        (bundle.path / name).write_text("{")
    with pytest.raises(WeightsError, match="ade20k segmentor: tiny/ade20k_segmentor"):
        load_stages(bundle, bundle.spec.settings, CPU)
    shutil.rmtree(bundle.folder("sam"))
    with pytest.raises(WeightsError, match="tiny/sam"):
        load_stages(bundle, bundle.spec.settings, CPU)


def test_loading_side_by_side_leaves_the_libraries_as_they_were(loaded: LoadedEngine) -> None:
    def swapped() -> list[object]:
        drawing = [getattr(torch.nn.init, name) for name in ("normal_", "zeros_", "uniform_")]
        return [*drawing, torch.linspace, transformers.PreTrainedModel.tie_weights]

    before = swapped()
    load_stages(loaded.bundle, loaded.settings, CPU)
    assert swapped() == before
    assert torch.get_default_dtype() == torch.float32


def test_a_bundle_asked_for_is_never_replaced() -> None:
    with pytest.raises(WeightsError, match=r"download_weights base"):
        load_engine(ROOT / "weights", "base", device="cpu")


# Names and connections are refused below Python's own socket module, and what was tried is told: a
# library that swallows the error is found out too. The last attempt shows that the refusal works.
LOAD_WITHOUT_NETWORK = """
import socket, sys
from contextlib import suppress
from pathlib import Path

tried = []

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        tried.append(event)
        raise PermissionError(event)

sys.addaudithook(refuse)
from ssa.loading import load_engine

print(load_engine(Path("weights"), "tiny", device="cpu").bundle.name, tried)
with suppress(PermissionError), socket.socket() as probe:
    probe.connect(("127.0.0.1", 9))
print(tried)
"""


def test_loading_needs_no_network(tmp_path: Path) -> None:
    # Neither a cache nor the offline switch may hide that something would be asked for.
    environment = {**os.environ, "HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", LOAD_WITHOUT_NETWORK],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split("\n") == ["tiny []", "['socket.connect']", ""], done.stderr


def test_a_weights_error_names_the_file_and_no_folder_of_the_server(tmp_path: Path) -> None:
    (tmp_path / "tiny" / "captions").mkdir(parents=True)
    for role in ("sam", "captions"):
        with pytest.raises(WeightsError) as caught:
            LOADERS[role](tmp_path / "tiny" / role)
        assert f"tiny/{role}" in str(caught.value)
        assert str(tmp_path) not in str(caught.value)
