"""Accounts, sessions, and the limits on password attempts."""
