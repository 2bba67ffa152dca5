"""One adapter a file: a published model's class behind one of the Protocols in ``ssa.stages``.

In: a bundle's folder and a ``Placement``; then RGB uint8 arrays, masks and texts. Out: what the stage's
Protocol says, on the host. May be changed: how a model computes it, with an equality test; adapters know
no other adapter.
"""
