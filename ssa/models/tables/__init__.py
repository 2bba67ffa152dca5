"""What can be loaded, a table for each capability: a new family is a line here, and its adapter's file.

In: a folder of weights, whose config says what it holds. Out: an adapter behind its Protocol. May be changed:
any line; beside ``ssa.models.roles`` this is the only place that knows several adapters at once.
"""
