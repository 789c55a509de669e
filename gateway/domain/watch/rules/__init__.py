"""The rules: when an incident opens, changes and closes."""
