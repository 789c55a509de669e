"""The ``noria`` command, one module for each group of subcommands."""
