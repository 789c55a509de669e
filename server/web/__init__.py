"""One request: who asks, what a form must carry, the headers, error pages and templates."""
