"""Pages: the routes of each, which read the state and render its typed view."""
