"""Protocols the node needs and MicroPython does not bring."""
