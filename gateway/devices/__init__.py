"""What we want of a device, and what it answered: ``down``, releases, events ``conf``."""
