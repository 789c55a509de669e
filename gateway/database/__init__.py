"""The relational database: SQLite, or PostgreSQL where several gateways share one."""
