"""From the watch to the database and the outbox, and what people do about incidents."""
