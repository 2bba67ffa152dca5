"""Automatic masks from any model that answers points: grid and crops, candidates, suppression.

In: a ``PromptableModel`` and RGB uint8 (H, W, 3). Out: ``MaskProposal``s. May be changed: how the search goes
on; a new model brings an adapter beside this folder and changes nothing in it.
"""
