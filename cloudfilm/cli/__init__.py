"""The command `cloudfilm`: one file a command. They parse, call and print; what they do lives in the rooms below."""

import importlib
import sys
from collections.abc import Iterable

import click

# Command name -> module of this folder. Each module holds a click command of the same name (dashes for underscores).
COMMANDS = {
    "up": "up",
    "gateway": "gateway",
    "registrar": "registrar",
    "web": "web",
    "ingest": "ingest",
    "order": "order",
    "link": "link",
    "staff": "staff",
    "finance": "finance",
    "archive": "archive",
    "restore": "restore",
    "journal": "journal",
}


class _OnDemand(click.Group):
    """Imports a command's module when it is asked for: `cloudfilm --help` must not load pixels, database and site."""

    def list_commands(self, context: click.Context) -> Iterable[str]:  # type: ignore[override]
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        return getattr(importlib.import_module(f"{__name__}.{COMMANDS[name]}"), name)


@click.command(cls=_OnDemand, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cloudfilm")
def group() -> None:
    """CloudFilm (云胶片): from the hospital's gateway to the patient's phone."""


def main() -> None:
    """Run; anything a person must act on is one sentence on stderr and a non-zero exit."""
    from .site import Refused, refusals

    try:
        group(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Exception as error:
        if not isinstance(error, (Refused, *refusals())):
            raise
        print(f"cloudfilm: {error}", file=sys.stderr)
        sys.exit(1)
