"""How a region gets its label: votes, candidates and the choice; your own classes; clusters; closed sets.

In: regions of pictures, and stages behind Protocols. Out: one ``Annotation`` a region, in order. May be
changed: the rules between the models; no model and no framework is known here.
"""
