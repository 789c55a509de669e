"""Relational state: SQLite, or PostgreSQL where several gateways share one."""
