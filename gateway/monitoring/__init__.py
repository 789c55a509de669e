"""What the gateway reports of itself: status, health, metrics, uptime."""
