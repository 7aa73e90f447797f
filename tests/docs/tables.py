"""The README's two tables as the code has them: `python -m tests.docs.tables` prints them, test_readme.py compares."""

from collections.abc import Iterator

import click

from cloudfilm.cli import group
from cloudfilm.settings import SETTINGS


def settings() -> list[str]:
    """One row a setting: name, default, meaning."""
    return [f"| `CLOUDFILM_{name}` | {f'`{default}`' if default else ''} | {meaning} |" for name, default, _, meaning in SETTINGS]


def commands() -> list[str]:
    """One row a command: how it is written, with all its options, and what it does."""
    return [f"| `{_usage(path, command)}` | {_first_sentence(command)} |" for path, command in _leaves("cloudfilm", group)]


def _leaves(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None, f"{path} {name} is listed and not there"
        yield from _leaves(f"{path} {name}", found)


def _usage(path: str, command: click.Command) -> str:
    context = click.Context(command)
    words = [path]
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            words.append(parameter.make_metavar(context))
            continue
        assert isinstance(parameter, click.Option)
        flag = max(parameter.opts, key=len)
        text = flag if parameter.is_flag else f"{flag} {parameter.make_metavar(context)}"
        words.append(text if parameter.required else f"[{text}]")
    return " ".join(words).replace("|", "\\|")


def _first_sentence(command: click.Command) -> str:
    assert command.help, f"{command.name} has no help"
    return " ".join(command.help.split()).replace("|", "\\|")


if __name__ == "__main__":
    print("\n".join([*commands(), "", *settings()]))
