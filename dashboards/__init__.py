"""Grafana as code: one dashboard, its data source, one alert rule, and their installation."""
