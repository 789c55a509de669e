"""The watch's state: records, timers, incidents, and their saved form."""
