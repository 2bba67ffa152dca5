"""How good names are: measures against truth, how likely a name is right, and what may be promised of it.

In: annotated pictures as formats take them, decisions, truth in any of several layouts. Out: figures,
reports, a fitted ``Confidence``, and which regions can be accepted. May be changed: what is measured; a
figure's name stands for one formula for good, and nothing here changes an annotation or decides for
anybody.
"""
