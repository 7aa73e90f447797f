"""What commands share: the settings, keys, archive and records of this installation, each opened when first asked for."""

from functools import cached_property
from typing import TYPE_CHECKING

from cloudfilm import keys, settings

if TYPE_CHECKING:
    from cloudfilm.archive.contract import Archive
    from cloudfilm.records.database import Database


class Refused(Exception):
    """A command cannot do what was asked; the text is one sentence for the person."""


def refusals() -> tuple[type[Exception], ...]:
    """Errors of the rooms whose text is a sentence for the person."""
    from cloudfilm.archive.contract import ArchiveMissing, ArchiveRefused, ArchiveUnavailable
    from cloudfilm.domain.rates import RateCardWrong
    from cloudfilm.records.database import RecordsUnavailable
    from cloudfilm.records.staff import StaffRefused

    return (
        settings.SettingWrong,
        keys.KeysWrong,
        ArchiveMissing,
        ArchiveRefused,
        ArchiveUnavailable,
        RecordsUnavailable,
        RateCardWrong,
        StaffRefused,
    )


class Site:
    """This installation, as the environment describes it."""

    @cached_property
    def settings(self) -> settings.Settings:
        found = settings.read()
        found.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        return found

    @cached_property
    def keys(self) -> keys.Keys:
        return keys.load(self.settings.home, self.settings.keys)

    @cached_property
    def archive(self) -> "Archive":
        from cloudfilm.archive import connect

        return connect(self.settings)

    @cached_property
    def database(self) -> "Database":
        from cloudfilm.records.database import open_database

        return open_database(self.settings.database)
