"""`cloudfilm gateway`: the hospital side."""

import signal
import threading

import click

from cloudfilm import logs

from .site import Refused, Site


@click.command()
def gateway() -> None:
    """Take studies, orders and reports, keep them durably, publish them, until stopped."""
    from cloudfilm.gateway.run import run

    site = Site()
    logs.start(site.settings.log_level)
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    try:
        run(site.settings, site.keys, site.archive, stop)
    except OSError as error:
        place = f"{site.settings.dicom_host}:{site.settings.dicom_port}"
        raise Refused(f"The DICOM receiver cannot open {place} ({error.strerror}); set CLOUDFILM_DICOM_PORT.") from error
