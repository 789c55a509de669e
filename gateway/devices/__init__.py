"""Commands to devices and their answers: ``down`` messages, releases, events ``conf``."""
