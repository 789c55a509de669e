"""The JSON API, the live stream, health and metrics: the pages' data for programs."""
