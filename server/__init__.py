"""The server: pages, API, accounts, and the ``noria`` command."""
