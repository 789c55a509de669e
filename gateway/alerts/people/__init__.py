"""Alerts to persons: preferences, contacts, shifts, escalation and delivery."""
