"""SAM (arXiv 2304.02643) as a mask proposer, of any size: the architecture is read off the weights.

``architecture`` and ``checkpoint`` make segment_anything's modules with the right weights; ``encoder`` and
``decoder`` are faster ways through these modules, to the same numbers; ``proposer`` puts them to work.

In: a folder with a checkpoint, then RGB uint8 (H, W, 3). Out: ``MaskProposal``s and image embeddings. May
be changed: the ways through, with their equality tests against segment_anything.
"""

from ssa.models.sam.architecture import (
    PUBLISHED_DECODER_HEADS,
    SamArchitecture,
    architecture_of,
    build,
)
from ssa.models.sam.proposer import CropEmbedding, SamMaskProposer

__all__ = [
    "PUBLISHED_DECODER_HEADS",
    "CropEmbedding",
    "SamArchitecture",
    "SamMaskProposer",
    "architecture_of",
    "build",
]
