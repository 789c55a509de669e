"""From journal entries to rows in the reading store."""
