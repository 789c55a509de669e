"""The gateway's MQTT session: PUBACK only after the journal's commit."""
