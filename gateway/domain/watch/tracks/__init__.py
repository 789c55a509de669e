"""What the watch tracks for each tank: noise, level, account of water, forecast, health, tilt."""
