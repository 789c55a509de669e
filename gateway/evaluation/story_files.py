"""One story as files, for ``noria replay`` and for eyes."""

import json
from pathlib import Path

from gateway.evaluation.catalog import SimulatedStory
from gateway.registry import toml


def write(story: SimulatedStory, folder: Path) -> None:
    """Write ``registry.toml``, ``lines.jsonl`` and ``truth.json`` into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "registry.toml").write_text(toml.write(story.registry, with_keys=True), "utf-8")
    (folder / "lines.jsonl").write_bytes(b"\n".join(story.lines) + b"\n")
    (folder / "truth.json").write_text(json.dumps(story.truth.as_json()), "utf-8")
