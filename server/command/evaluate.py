"""``noria evaluate``: measures how well the watch judges, on simulated stories with known truth."""

import json
import os
from importlib.metadata import version
from pathlib import Path

import click

from gateway.errors import NoriaError
from gateway.evaluation import against as comparison
from gateway.evaluation import catalog, fitted_file, plan, report, samples, story_files
from gateway.evaluation import recordings as recording_room
from gateway.evaluation import rivals as rival_forecasts
from gateway.evaluation.fit import fit as fit_weights
from gateway.evaluation.page import html
from server.command.progress import Progress

_RIVAL_STORIES = 8


@click.command()
@click.option("--years", default=30.0, show_default=True, help="Tank-years of ordinary life.")
@click.option("--seeds", default=8, show_default=True, help="Stories of each other kind.")
@click.option("--jobs", default=0, help="Processes; by default one for each core.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only these; repeatable.")
@click.option(
    "--set", "seed_set", type=click.Choice(["fit", "report"]), default="report", show_default=True,
    help="Seeds for fitting, or those that no rule was fitted on.",
)  # fmt: skip
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write a JSON result.")
@click.option("--list", "listed", metavar="KIND", help="List the mistakes of a kind, or of 'all'.")
@click.option("--story", metavar="KIND:SEED", help="Run this story alone and list its mistakes.")
@click.option("--dump", type=click.Path(path_type=Path), help="With --story: write its files.")
@click.option(
    "--fit",
    is_flag=True,
    help="Fit the weights of evidence to seeds for fitting, and write the module that ships them.",
)
@click.option(
    "--to", type=click.Path(path_type=Path), default=fitted_file.PATH,
    help="With --fit: write it here instead.",
)  # fmt: skip
@click.option("--page", type=click.Path(path_type=Path), help="Write one page with plots (HTML).")
@click.option(
    "--rivals",
    is_flag=True,
    help="Compare forecasts with statsforecast's and scikit-learn's instead.",
)
@click.option("--against", metavar="REF", help="Run the same stories with this commit, too.")
@click.option(
    "--recordings", type=click.Path(path_type=Path), metavar="DIR",
    help="Run the real recordings in DIR instead of stories.",
)  # fmt: skip
def evaluate(
    years: float,
    seeds: int,
    jobs: int,
    kinds: tuple[str, ...],
    seed_set: catalog.SeedSet,
    json_file: Path | None,
    listed: str | None,
    story: str | None,
    dump: Path | None,
    fit: bool,
    to: Path,
    page: Path | None,
    rivals: bool,
    against: str | None,
    recordings: Path | None,
) -> None:
    """Run simulated stories through the watch and print how often it was right.

    The same arguments give the same figures, except for the speed. 'noria evaluate --story
    slashed:4 --dump DIR' writes registry.toml, lines.jsonl and truth.json for 'noria replay'.
    """
    for kind in kinds:
        catalog.kind_of(kind)
    if rivals:
        click.echo(report.rivals(rival_forecasts.compare(_RIVAL_STORIES)))
        return
    if recordings is not None:
        click.echo(recording_room.table(list(recording_room.run(recordings))))
        return
    if story is not None:
        _one(story, dump)
        return
    wanted = plan.names(years, seeds, kinds, "fit" if fit else seed_set)
    progress = Progress()
    processes = jobs or os.cpu_count() or 1
    if fit:
        found = samples.collect(
            wanted, processes, lambda done: progress.report(f"{done} of {len(wanted)} stories")
        )
        weights = fit_weights(found, _origin(found, years, seeds))
        to.write_text(fitted_file.text(weights), "utf-8")
        click.echo(f"Fitted to {len(found.episodes)} episodes: wrote {to}")
        return
    total = plan.run(
        wanted,
        processes,
        lambda done: progress.report(f"{done} of {len(wanted)} stories"),
    )
    click.echo(report.table(total))
    if against is not None:
        before = comparison.run(against, wanted, processes)
        click.echo("\n" + comparison.table(against, before, total))
    if listed is not None:
        for line in report.mistakes(total, None if listed == "all" else listed):
            click.echo(line)
    command = f"noria evaluate --years {years:g} --seeds {seeds} --set {seed_set}"
    if page is not None:
        page.write_text(html(total, f"{command} --page FILE", version("noria")), "utf-8")
    if json_file is not None:
        json_file.write_text(json.dumps(report.as_json(total), indent=1), "utf-8")


def _origin(found: samples.Samples, years: float, seeds: int) -> str:
    """What the weights were fitted to. No date: the same stories give the same bytes."""
    thefts = sum(bool(e.theft) for e in found.episodes)
    return (
        f"noria evaluate --fit --years {years:g} --seeds {seeds}, Noria {version('noria')}:"
        f" {found.tank_years:.1f} tank-years of ordinary life and {seeds} stories of each other"
        f" kind, odd seeds; {thefts} episodes of theft, {len(found.episodes) - thefts} others"
    )


def _one(name: str, dump: Path | None) -> None:
    kind, _, seed = name.partition(":")
    if not seed.isdigit():
        raise NoriaError(f"--story {name}: write KIND:SEED, such as slashed:4")
    catalog.kind_of(kind)
    if dump is not None:
        story_files.write(catalog.make(kind, int(seed)), dump)
        click.echo(f"Wrote registry.toml, lines.jsonl and truth.json to {dump}", err=True)
    sheet = plan.sheet_of((kind, int(seed)))
    click.echo(report.table(sheet))
    for line in report.mistakes(sheet):
        click.echo(line)
