"""What is counted: each operation once, each value that moves or is waited for once."""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.dispatches import counted, dispatch_figures
from benchmarks.drawn_masks import draw_masks
from benchmarks.transfers import transfers_counted
from ssa.config import MaskSettings
from ssa.device import Placement
from ssa.models.sam import SamMaskProposer
from ssa.weights import choose_bundle, default_root
from toyworld.scenes import draw_scene
from toyworld.seeds import evaluation_seed


def test_operations_and_transfers_are_counted_once_each() -> None:
    device, values = torch.device("cpu"), torch.ones(3)
    flags = values > 0
    with counted() as (launches, transfers), torch.inference_mode():
        _ = values + values
        values.mul_(2)
        torch.from_numpy(np.zeros(2)).to(device)
        (values.cpu() + 1).numpy()
        _ = values[flags]
        bool(flags[0])
        values.sum().item()
    assert (launches["aten.add.Tensor"], launches["aten.mul_.Tensor"]) == (2, 1)
    assert dict(transfers) == {"to": 1, "cpu": 1, "__getitem__": 1, "__bool__": 1, "item": 1}
    assert torch.from_numpy.__name__ == "from_numpy"


def test_what_stays_on_the_host_is_no_transfer() -> None:
    with counted() as (_, transfers):
        kept = torch.tensor([0.5, 0.2]) > torch.from_numpy(np.array([0.1, 0.3]))
        kept.nonzero()[:, 0].tolist()
        torch.as_tensor([1]).to(torch.float32)
    assert not transfers


def test_masks_of_a_picture_take_ten_transfers_whatever_there_is_to_see() -> None:
    """Picture and points there, ratings back, picks there, boxes back; windows there, twice; three reads."""
    bulk = Placement(torch.device("cpu"), torch.float32, bulk=True)
    proposer = SamMaskProposer.load(default_root() / "tiny" / "sam", bulk)
    settings = MaskSettings(points_per_side=8, pred_iou_thresh=0.5, stability_score_thresh=0.6)
    for seed in (1, 3):
        picture = draw_scene(evaluation_seed(seed)).image
        proposer.propose(picture, settings)
        with transfers_counted() as transfers:
            found = proposer.propose(picture, settings)
        assert len(found.proposals) > 3
        assert transfers.total() == 10


def test_both_works_of_a_picture_are_counted() -> None:
    bundle = choose_bundle(default_root(), "tiny")
    picture = np.random.default_rng(0).integers(0, 255, (96, 128, 3), dtype=np.uint8)
    settings = bundle.spec.settings.searching("sam", points_per_side=4)
    figures = dispatch_figures(bundle, settings, picture, draw_masks(8, 96, 128))
    works = {key.partition(".")[0] for key, value in figures.items() if float(value) > 0}
    assert works == {"label", "amg"}
    assert set(figures) == {
        f"{one}.{what}" for one in works for what in ("dispatches", "transfers")
    }
