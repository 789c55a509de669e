"""What tests say to a store whose database refuses a line."""


def unusable(line: str, reason: str) -> None:
    """No line of a test is refused: it fails with what the database said."""
    raise AssertionError(f"{reason}: {line}")
