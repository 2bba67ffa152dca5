"""What stands around ``predict.py``: its guards, its schema, and the Cog runtime as a child process.

In: a folder that holds ``predict.py``. Out: a server on loopback that checks inputs by the schema. Nothing
here imports cog: the runtime is started as a program of its own.
"""
