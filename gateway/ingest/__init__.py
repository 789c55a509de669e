"""From the broker to the journal: admit, judge, commit, acknowledge."""
