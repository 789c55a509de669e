"""From incidents to people: outbox, wording, channels, and who is on the way."""
