"""From incidents to people: outbox, wording, channels, and claims."""
