"""OneFormer: one class of a closed set for each pixel (Jain et al. 2022, arXiv:2211.06220).

transformers loads the weights; then ``model`` says what its model says, for one picture, in half the
operations: the house's Swin looks, ``pixel_decoder`` lets three maps see one another, ``query_decoder`` asks
them, and ``parts`` is what both are made of. ``segmentor`` puts the model to work.

In: a folder with a checkpoint, then RGB uint8 (H, W, 3). Out: a ``LabelMap``. May be changed: how it is
computed; the tests hold every part against transformers' own.
"""

from ssa.models.oneformer.segmentor import OneFormerSegmentor

__all__ = ["OneFormerSegmentor"]
