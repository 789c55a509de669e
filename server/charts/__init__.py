"""Charts made on the server: levels over time as a stretched SVG with HTML labels."""
