"""From the broker to the journal: verify, judge, commit, acknowledge."""
