"""How good the names and the masks of a run are, held against a truth: figures, and pictures of the worst.

In: pictures with regions, those that a run found and those that are true. Out: figures, their curves, tables
by class, and a page that shows them. May be changed: how a figure is shown; what one means stays under its
name, so that two runs can be compared.
"""
