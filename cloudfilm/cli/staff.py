"""`cloudfilm staff add`: a member of staff, with a first password that is told once."""

import json

import click

from cloudfilm import clock

from .link import fresh_password
from .site import Site


@click.group()
def staff() -> None:
    """Add staff and reset their passwords."""


def _roles() -> list[str]:
    return ["desk", "doctor", "finance", "auditor", "operator", "admin"]


@staff.command()
@click.argument("name")
@click.option("--role", type=click.Choice(_roles()), required=True)
@click.option("--display-name", default="", help="Name shown on pages; default NAME.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of words.")
def add(name: str, role: str, display_name: str, as_json: bool) -> None:
    """Add NAME (the login). The first password is printed once and must be changed at the first login."""
    from cloudfilm.records import hospitals, journal
    from cloudfilm.records import staff as members
    from cloudfilm.records.hospitals import Hospital

    site = Site()
    s, now, password = site.settings, clock.now(), fresh_password()
    with site.database.write() as c:
        hospitals.put(c, Hospital(s.hospital, s.hospital_name, s.hospital_phone, s.timezone.key))
        members.add(
            c,
            hospital=s.hospital,
            staff_id=name,
            name=display_name or name,
            role=members.Role(role),
            password=password,
            must_change=True,
            now=now,
        )
        journal.write(c, hospital=s.hospital, actor="system:command-line", action="staff-add", object=f"staff:{name}", reason=role, now=now)
    told = {"user": name, "role": role, "password": password}
    print(json.dumps(told) if as_json else f"{name} ({role}): first password {password}, to be changed at the first login")


@staff.command("reset-password")
@click.argument("name")
@click.option("--keep", is_flag=True, help="The new password need not be changed at the next login.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of words.")
def reset_password(name: str, keep: bool, as_json: bool) -> None:
    """A new first password for NAME; ends all their sessions."""
    from cloudfilm.records import journal
    from cloudfilm.records import staff as members

    site = Site()
    now, password = clock.now(), fresh_password()
    with site.database.write() as c:
        members.set_password(c, site.settings.hospital, name, password, must_change=not keep, now=now)
        journal.write(
            c,
            hospital=site.settings.hospital,
            actor="system:command-line",
            action="staff-reset",
            object=f"staff:{name}",
            now=now,
        )
    print(json.dumps({"user": name, "password": password}) if as_json else f"{name}: new password {password}")
