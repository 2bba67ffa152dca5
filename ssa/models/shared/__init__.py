"""What several adapters share: opening model folders, pixels on the device, quicker parts of towers.

In and out: tensors and files of weights. May be changed: anything that has an equality test against the plain
way; no adapter is known here.
"""
