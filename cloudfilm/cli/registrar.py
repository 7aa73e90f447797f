"""`cloudfilm registrar`: letters become records."""

import signal
import threading

import click

from cloudfilm import logs

from .site import Site


@click.command()
def registrar() -> None:
    """Open the hospital's mail and keep the records true to it, until stopped."""
    from cloudfilm.registrar.loop import run

    site = Site()
    logs.start(site.settings.log_level)
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    run(site.settings, site.keys, site.archive, site.database, stop)
