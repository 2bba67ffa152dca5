"""Reads a folder's Semantic-SAM checkpoint, in the published layout, and a whole model of it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from ssa.models.semantic_sam.architecture import SemanticSam, architecture_of, build
from ssa.models.shared.checkpoints import check_complete, read_tensors, weights_file
from ssa.models.shared.pretrained import shown

logger = logging.getLogger(__name__)

# Published prefixes and ours, to be tried in this order, either way round. Only keys that begin with a
# published one are the model's.
PREFIXES = (
    ("model.backbone.", "backbone."),
    ("model.sem_seg_head.pixel_decoder.", "pixel_decoder."),
    ("model.sem_seg_head.predictor.decoder.layers.", "decoder.layers."),
    ("model.sem_seg_head.predictor.decoder.ref_point_head.", "decoder.ref_point_head."),
    ("model.sem_seg_head.predictor.decoder_norm.", "decoder.norm."),
    ("model.sem_seg_head.predictor._bbox_embed.", "decoder.bbox_embed."),
    ("model.sem_seg_head.predictor.", "decoder."),
)

# Not read: further names of the one box MLP and of the decoder's norm, buffers that follow from the window,
# the training loss, and the class matrices, which were never trained.
UNUSED = re.compile(
    r"model\.(criterion\..*"
    r"|.*\.relative_position_index"
    r"|sem_seg_head\.predictor\.(decoder\.)?bbox_embed\..*"
    r"|sem_seg_head\.predictor\.decoder\.norm\..*"
    r"|sem_seg_head\.predictor\.(lang_mapper|class_embed|class_embed_part))"
)


def load_semantic_sam(folder: Path) -> SemanticSam:
    """The model in ``folder``: ``model.safetensors``, else the one ``*.pth``; on the CPU, in float32.

    Raises ``WeightsError`` when the folder doesn't hold one readable, complete Semantic-SAM in the
    published layout.
    """
    path = weights_file(folder)
    published = read_tensors(path)
    state = {name: tensor.float() for name, tensor in from_published(published).items()}
    # On the meta device nothing is allocated or drawn at random; the tensors then move in as they are.
    with torch.device("meta"):
        model = build(architecture_of(state))
    check_complete(model.state_dict(), state, path, "Semantic-SAM")
    if strangers := unknown(published):
        logger.warning(
            "%s: %d tensors are no Semantic-SAM's and were left aside, such as %s",
            shown(path),
            len(strangers),
            strangers[0],
        )
    model.load_state_dict(state, strict=True, assign=True)
    return model.requires_grad_(False)


def from_published(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A published checkpoint's tensors by our names, without those that are double or not the model's."""
    used = {name: tensor for name, tensor in state.items() if not UNUSED.fullmatch(name)}
    named = ((_renamed(name, PREFIXES), tensor) for name, tensor in used.items())
    return {name: tensor for name, tensor in named if name}


def unknown(state: Mapping[str, Tensor]) -> list[str]:
    """The names in a published checkpoint that mean nothing: neither the model's nor known to be unused."""
    return sorted(
        name for name in state if not UNUSED.fullmatch(name) and not _renamed(name, PREFIXES)
    )


def as_published(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The published names for tensors of ours; ``from_published`` takes them back."""
    back = [(ours, published) for published, ours in PREFIXES]
    return {_renamed(name, back): tensor for name, tensor in state.items()}


def _renamed(name: str, prefixes: Iterable[tuple[str, str]]) -> str:
    """The name with its first prefix that is listed exchanged for the other; empty where none is."""
    for old, new in prefixes:
        if name.startswith(old):
            return new + name.removeprefix(old)
    return ""
