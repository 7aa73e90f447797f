"""`cloudfilm order add`: an order enters by the same spool as from the HIS."""

from pathlib import Path

import click

from .ingest import enter


@click.group()
def order() -> None:
    """Enter orders."""


@order.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object an order instead of words.")
@click.option("--no-wait", is_flag=True, help="Return when the order is durable, not when it is registered.")
def add(files: tuple[Path, ...], as_json: bool, no_wait: bool) -> None:
    """Enter orders (JSON, schema cloudfilm-order/1) and tell the receipt link of each visit."""
    enter(list(files), as_json=as_json, wait=not no_wait)
