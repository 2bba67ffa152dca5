"""CLIPSeg: which candidate wins most of a mask (Lüddecke and Ecker 2022, arXiv:2112.10003).

In: crops (h, w, 3) RGB uint8, masks in their frames, candidates. Out: each candidate's share of the mask. May
be changed: how pixels are counted, as long as ``bulk_wins`` counts what ``wins`` does.
"""

from ssa.models.clipseg.chooser import ClipSegChooser

__all__ = ["ClipSegChooser"]
