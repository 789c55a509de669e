"""The web layer: visits and form tokens, headers, error pages, templates."""
