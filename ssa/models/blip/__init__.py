"""BLIP: what a crop shows, in a few words (Li et al. 2022, arXiv:2201.12086).

In: crops (h, w, 3) RGB uint8. Out: a caption each. May be changed: how the words are worked out, as long as
they stay those of transformers' greedy ``generate``.
"""

from ssa.models.blip.captioner import BlipCaptioner

__all__ = ["BlipCaptioner"]
