"""What stands around ``predict.py`` on Cog's server: the schema, the checks of names, guards and clean-up.

In: requests as Cog passes them on. Out: the same, or one line on what is wrong. Nothing here imports cog.
"""
