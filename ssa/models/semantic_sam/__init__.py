"""Semantic-SAM (arXiv 2307.04767) as a mask proposer: six masks a click, from whole to part.

Plain PyTorch, of any size: the shared ``swin`` looks, ``pixel_decoder`` and ``click_decoder`` answer,
``architecture`` reads the sizes off the weights, ``checkpoint`` loads them, ``proposer`` puts the model to
work.

In: a folder with a checkpoint, then RGB uint8 (H, W, 3). Out: ``MaskProposal``s that know how fine they
are. May be changed: how it is computed; the published model's recorded answers are in the tests.
"""

from ssa.models.semantic_sam.architecture import (
    SemanticSam,
    SemanticSamArchitecture,
    architecture_of,
    build,
)
from ssa.models.semantic_sam.checkpoint import as_published, from_published
from ssa.models.semantic_sam.click_decoder import Answers
from ssa.models.semantic_sam.pixel_decoder import Features
from ssa.models.semantic_sam.proposer import CropEmbedding, SemanticSamMaskProposer

__all__ = [
    "Answers",
    "CropEmbedding",
    "Features",
    "SemanticSam",
    "SemanticSamArchitecture",
    "SemanticSamMaskProposer",
    "architecture_of",
    "as_published",
    "build",
    "from_published",
]
