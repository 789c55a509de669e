"""The demo: a day at eleven tanks in minutes, in a throw-away folder, on the real software."""
