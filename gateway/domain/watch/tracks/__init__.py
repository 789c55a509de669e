"""What the watch follows of one tank: level, flow, leaks, forecast, tilt."""
