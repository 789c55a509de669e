"""Whether the journal is whole: start-up check, full check, witness, rollback."""
