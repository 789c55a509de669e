"""The gateway: receives readings, stores them, detects incidents and sends alerts."""
