"""The virtual ESP32: one host process runs many boards, each on its own interpreter process."""
