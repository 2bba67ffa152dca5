"""One adapter a file: a published model's class behind one of the Protocols in ``ssa.stages``."""
