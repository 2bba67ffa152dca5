"""The public door: ``ssa.load()`` gives a ``Model``, the model gives ``Result``s of ``Region``s.

In: a picture as a path, a Pillow image or an array, and the inputs of ``ssa.inputs`` by name. Out: values
to read, files to keep, other libraries' objects. May be changed: what is behind the
names; they themselves are a promise to users: add, don't change.
"""
