"""What loaded models take in memory: counted, for a file that is mapped comes in page by page."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

import torch

from ssa.config import MASK_SOURCES
from ssa.stages import Stages


def weight_bytes(stages: Iterable[object]) -> int:
    """Bytes of all parameters and buffers of the modules that ``stages`` hold; what is shared counts once."""
    modules = (
        value
        for stage in stages
        for value in vars(stage).values()
        if isinstance(value, torch.nn.Module)
    )
    tensors = (t for module in modules for t in chain(module.parameters(), module.buffers()))
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}
    return sum(storages.values())


def bytes_by_role(stages: Stages) -> dict[str, int]:
    """What each role of a bundle takes, of those that ``stages`` have; spaCy's nouns aren't counted."""
    models: dict[str, object] = {
        **{MASK_SOURCES[name].role: one for name, one in stages.proposers.items()},
        **{f"{source}_segmentor": one for source, one in stages.closed_set.items()},
        "captions": stages.captioner,
        "clip": stages.ranker,
        # One dense ranker in both roles is in memory once.
        "clipseg": None if stages.chooser is stages.ranker else stages.chooser,
        "phrases": stages.phrases,
    }
    return {role: weight_bytes([one]) for role, one in models.items() if one is not None}
