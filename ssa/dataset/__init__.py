"""Whole datasets: every picture of folders and tars annotated once, on one machine or many, killed or not.

``plan`` lists the work in a ledger, ``workers`` does it in groups of pictures, ``output`` keeps what comes,
``export`` makes the other formats of it, ``run`` is all of that in a row.

In: items of ``sources`` and an annotator behind a Protocol. Out: files in one folder, and what went wrong.
May be changed: who does the work and in which order; what is on record already stays readable.
"""
