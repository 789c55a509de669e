"""The results as a table for people, and as JSON values."""

from collections.abc import Iterator, Sequence

from gateway.evaluation.scores import Score, confusion, reliability, scores
from gateway.evaluation.sheet import Sheet

_MARKS = {True: "ok", False: "MISS", None: ""}


def shown(value: float | None) -> str:
    """A figure with three digits, or a dash."""
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3f}".rstrip("0").rstrip(".")


def table(sheet: Sheet) -> str:
    """All figures beside their goals, then the confusion matrix."""
    return "\n".join([*_head(sheet), "", *_rows(scores(sheet)), "", *_matrix(sheet), "",
                      *_lookalikes(sheet)])  # fmt: skip


def _head(sheet: Sheet) -> Iterator[str]:
    yield (
        f"{sheet.stories} stories, {sheet.readings} readings,"
        f" {sheet.ordinary_days / 365.25:.1f} tank-years of ordinary life"
    )
    if sheet.unusable:
        yield f"{sheet.unusable} lines could not be used"


def _rows(found: list[Score]) -> Iterator[str]:
    group = ""
    for score in found:
        label = score.group if score.group != group else ""
        group = score.group
        yield (
            f"{label:<9} {score.name:<52} {shown(score.value):>8}  {score.goal:<10}"
            f" {_MARKS[score.is_met]}"
        ).rstrip()


def _matrix(sheet: Sheet) -> Iterator[str]:
    yield "what it was, and the first guesses (then: after the story)"
    last = confusion(sheet, last=True)
    for label, guesses in sorted(confusion(sheet).items()):
        first_text = ", ".join(f"{kind} {count}" for kind, count in guesses.most_common())
        last_text = ", ".join(f"{kind} {count}" for kind, count in last[label].most_common())
        yield f"  {label:<24} {first_text}" + (
            f"   then {last_text}" if last_text != first_text else ""
        )


def _lookalikes(sheet: Sheet) -> Iterator[str]:
    called = {k: v for k, v in sorted(sheet.lookalikes_by_kind.items()) if v[0]}
    if called:
        yield "look-alikes called theft: " + ", ".join(
            f"{kind} {count} of {total}" for kind, (count, total) in called.items()
        )


def mistakes(sheet: Sheet, kind: str | None = None) -> Iterator[str]:
    """One line for each mistake: story, when, what."""
    for story, at, text in sorted(sheet.mistakes):
        if kind is None or story.startswith(f"{kind}:"):
            yield f"{story:<22} {at:>14.0f}  {text}"


def rivals(rows: Sequence[tuple[str, int, float | None, float | None]]) -> str:
    """Median error and coverage of each forecaster."""
    head = f"{'time to empty, about a day ahead':<36} {'forecasts':>9} {'error':>8} {'coverage':>9}"
    lines = [
        f"{name:<36} {count:>9} {shown(error):>8} {shown(covered):>9}"
        for name, count, error, covered in rows
    ]
    return "\n".join([head, *lines])


def as_json(sheet: Sheet) -> dict[str, object]:
    """All figures, the confusion matrix and the reliability points."""
    return {
        "stories": sheet.stories,
        "readings": sheet.readings,
        "tank_years": sheet.ordinary_days / 365.25,
        "scores": {
            f"{s.group}: {s.name}": {"value": s.value, "goal": s.goal, "met": s.is_met}
            for s in scores(sheet)
        },
        "confusion": {label: dict(kinds) for label, kinds in confusion(sheet).items()},
        "confusion_after": {
            label: dict(kinds) for label, kinds in confusion(sheet, last=True).items()
        },
        "reliability": reliability(sheet.beliefs),
        "reliability_thefts": reliability([b for b in sheet.beliefs if b.is_theft_kind]),
        "lookalikes_called_theft": sheet.lookalikes_by_kind,
        "mistakes": sorted(sheet.mistakes),
    }
