"""What annotated pictures are written as: one module a format, each a function over a stream of examples."""
