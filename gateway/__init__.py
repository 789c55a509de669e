"""The gateway: takes readings in, keeps them, watches them, and tells people."""
