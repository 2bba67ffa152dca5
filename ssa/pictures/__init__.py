"""Pictures as arrays: decoded once, then cut into the crops that stages ask for.

In: bytes or files of any format that Pillow reads. Out: RGB uint8 (H, W, 3), crops and boxes. May be changed:
which files are accepted and how colours become sRGB; no model and no label is known here.
"""
