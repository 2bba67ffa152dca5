"""What people say of regions: decisions in a file that only grows, and what regions are by them now.

In: annotated pictures as formats take them, decisions, corrections that were made elsewhere. Out: the file of
decisions, and the same pictures as they were decided. May be changed: how decisions come to be; a line once
written stays readable, and the annotations' own files are never touched.
"""
