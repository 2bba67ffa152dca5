"""What annotated pictures are written as: a line of ``table`` and a module each, a function over examples.

In: ``AnnotatedImage``s with their pictures' names and sizes. Out: files, bytes or other libraries'
objects. May be changed: how a format is written, as long as its readers read it; no model and no source is
known here.
"""
