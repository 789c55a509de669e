"""What the watch tracks for each tank: level, flow, leaks, forecast, tilt."""
