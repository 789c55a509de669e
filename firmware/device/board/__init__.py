"""One file per board: its pins, its powers, its ways to sleep and to wake."""
