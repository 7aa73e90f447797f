"""`cloudfilm web`: the site."""

import click

from .site import Site


@click.command()
def web() -> None:
    """Serve the site on CLOUDFILM_HOST and CLOUDFILM_PORT, until stopped."""
    from cloudfilm.web.server import run

    site = Site()
    run(site.settings, site.keys)
