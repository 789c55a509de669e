"""Reads the pin table from the firmware's board file, so that the model always agrees with it.

The board file imports ``machine`` and cannot be imported here; its table is a literal.
"""

import ast
from pathlib import Path


def read(board_file: Path) -> dict[str, int]:
    """``PINS`` of a board file: role to number. Raises ValueError when there is none."""
    tree = ast.parse(board_file.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "PINS" for target in node.targets
        ):
            table: dict[str, int] = ast.literal_eval(node.value)
            return table
    raise ValueError(f"{board_file.name} has no PINS table: the model needs role and number")
