"""An annotated picture as a picture: colours by label, names where a mask is widest.

In: RGB uint8 (H, W, 3) and an ``AnnotatedImage``. Out: RGB uint8 of the same size. May be changed: all that a
person sees and no number depends on.
"""
