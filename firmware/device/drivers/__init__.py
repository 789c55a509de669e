"""Sensor drivers: each is handed its bus; a raw read apart from pure conversion."""
