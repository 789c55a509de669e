"""Old months of the journal in compressed files: written, read, scheduled."""
