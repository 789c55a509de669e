"""The callback of a store whose database refuses a line."""


def unusable(line: str, reason: str) -> None:
    """Fail the test with the database's reason."""
    raise AssertionError(f"{reason}: {line}")
