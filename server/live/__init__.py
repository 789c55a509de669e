"""The live stream: what changed, told to open pages as it happens."""
