"""How well a dense ranker names true regions of unseen scenes: python -m toyworld.train.dense_names FOLDER.

Plainly written, on the whole picture and true masks: whatever an adapter makes of the model, this is what
the model itself knows.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import Tipsv2Model, Tipsv2Tokenizer

from toyworld.kinds import KINDS
from toyworld.scenes import Scene
from toyworld.train.clip import world_names
from toyworld.train.dense_truth import cover, pixels_of
from toyworld.train.tipsv2 import pool, see, similarity
from toyworld.unseen import counts, right_names, scenes

ROLES = ("stuff", "object", "part")


@torch.inference_mode()
def words_of(model: Tipsv2Model, folder: Path, names: Sequence[str]) -> Tensor:
    """(N, D) embeddings of the names as they are, by the folder's own tokenizer."""
    tokenizer = Tipsv2Tokenizer.from_pretrained(folder)
    asked = tokenizer(list(names), padding=True, return_tensors="pt")
    words: Tensor = model.get_text_features(**asked).pooler_output
    return words


@torch.inference_mode()
def similarities(model: Tipsv2Model, words: Tensor, scene: Scene, regions: list[int]) -> Tensor:
    """(R, N) cosines over the temperature of the scene's regions with the words."""
    features, _ = see(model, torch.from_numpy(pixels_of(scene))[None])
    shares = torch.from_numpy(cover(scene, np.array(regions)))[None]
    return similarity(pool(features, shares)[0], words)


def score(folder: Path, count: int, seed: int) -> dict[str, float]:
    """Shares of regions whose first name is right: of the kinds (also of three), and of all names."""
    model = Tipsv2Model.from_pretrained(folder, dtype=torch.float32).eval()
    names, kinds = world_names(), tuple(KINDS)
    words = words_of(model, folder, (*kinds, *names))
    hits: Counter[str] = Counter()
    tries: Counter[str] = Counter()
    for scene, _ in scenes(count, seed):
        regions = [i for i, r in enumerate(scene.regions) if any(counts(r, role) for role in ROLES)]
        found = similarities(model, words, scene, regions)
        of_kinds, of_names = found[:, : len(kinds)], found[:, len(kinds) :]
        for row, index in enumerate(regions):
            region = scene.regions[index]
            best = [kinds[int(i)] for i in of_kinds[row].topk(3).indices]
            whole = "" if region.parent is None else scene.regions[region.parent].kind
            right = right_names(scene, index)
            right |= {f"{name} of a {whole}" for name in right if whole}
            told = {
                "kind": best[0] == region.kind,
                "top 3": region.kind in best,
                "name": names[int(of_names[row].argmax())] in right,
            }
            for figure, hit in told.items():
                tries[f"{region.role} {figure}"] += 1
                hits[f"{region.role} {figure}"] += int(hit)
    return {figure: hits[figure] / tries[figure] for figure in sorted(tries)}


def main() -> None:
    """Print the figures of a folder."""
    parser = argparse.ArgumentParser(prog="dense_names", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for figure, share in score(arguments.folder, arguments.scenes, arguments.seed).items():
        print(f"{figure:14s} {share:.3f}")


if __name__ == "__main__":
    main()
