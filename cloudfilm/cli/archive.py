"""`cloudfilm archive verify`: is every object still what was stored?"""

import sys

import click

from .site import Refused, Site

WORDS = {"missing": "is missing", "damaged": "is damaged", "unreadable": "is no whole manifest"}


@click.group()
def archive() -> None:
    """Look after the archive."""


@archive.command()
def verify() -> None:
    """Read every object back and compare it with its hash; each one that is wrong is a line."""
    from cloudfilm.archive.verify import verify as findings

    site = Site()
    objects = size = wrong = 0

    def progress(read: int) -> None:
        nonlocal objects, size
        objects, size = objects + 1, size + read
        if sys.stderr.isatty():
            print(f"\r{objects} objects, {size / 1e6:.0f} MB", end="", file=sys.stderr, flush=True)

    for found in findings(site.archive, site.settings.hospital, progress):
        wrong += 1
        print(f"{found.key} {WORDS[found.fault]}" + ("" if found.named_by == found.key else f" (needed by {found.named_by})"), flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if wrong:
        raise Refused(f"{wrong} object(s) of the archive are not as they were stored; send these studies again.")
    print(f"{objects} objects, {size} bytes: all are as they were stored")
