"""The registry at rest: its rows in the database, and its TOML form (WIRE.md, section 2)."""
