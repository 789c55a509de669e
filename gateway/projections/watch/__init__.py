"""The watch over the journal: its outputs and state in the database and the outbox."""
