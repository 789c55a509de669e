"""Pages: each module holds the routes of one, and nothing but reading and choosing words."""
