"""Alerts to persons: what each asked for, who is on shift, who was told, and who hears next."""
