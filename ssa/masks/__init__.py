"""Each rule about masks, once: run lengths, outlines, who lies on whom, what is part of what.

In: bool arrays (H, W) or COCO run lengths. Out: the same, and polygons, painted ids and trees. May be
changed: how a rule is computed, with an equality test beside it; no picture and no label is known here.
"""
