"""A node written from WIRE.md alone: it imports nothing of the gateway, so that it can disagree."""
