"""Third-party sensors: what other projects publish, mapped to readings that nobody signed."""
