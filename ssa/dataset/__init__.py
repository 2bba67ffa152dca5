"""Whole datasets: every picture of folders and tars annotated once, on one machine or many, killed or not.

``plan`` lists the work in a ledger, ``workers`` does it in groups of pictures, ``output`` keeps what comes,
``export`` makes the other formats of it, ``run`` is all of that in a row.
"""
