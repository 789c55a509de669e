"""Scripted stories of tanks, drawn from a seed, and two worlds that hear the same ones."""
