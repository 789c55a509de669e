"""Scripted stories of tanks, generated from a seed, and two worlds that receive the same ones."""
