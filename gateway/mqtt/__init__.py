"""The gateway's MQTT session, which sends PUBACK after the journal's commit, and its broker."""
