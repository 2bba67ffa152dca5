"""The command line ``ssa``: one file a command, each a thin layer over the rest of ``ssa``.

In: what was typed. Out: files, a table or JSON on standard output, words on standard error, and an exit
code: 0 for all well, 1 for some of it not, 2 for what could not be, 130 for stopped. May be changed:
how a command is laid out; its names stay. A new one is a module with ``HELP``, ``add_options`` and ``run``,
and one line in ``app.COMMANDS``.
"""
