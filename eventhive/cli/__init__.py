"""The commands: one module for each, loaded when it is the one that runs.

A command module has `configure(parser)`, which adds its arguments and sets `run`, a function of the parsed arguments
that returns the exit code.
"""
