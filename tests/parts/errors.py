"""What goes wrong while a real part is fetched, built or started."""


class PartError(Exception):
    """A part cannot be had or does not run; the message has the reason and the remedy."""
