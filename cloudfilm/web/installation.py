"""What a web process works on: settings, keys, records, archive. Built once by create_app, found by every route."""

from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app

from cloudfilm.archive.contract import Archive
from cloudfilm.keys import Keys
from cloudfilm.records.database import Database
from cloudfilm.settings import Settings

_NAME = "cloudfilm"


@dataclass(frozen=True, slots=True)
class Installation:
    """This site. `https`: whether its public address is https (cookies are then Secure and `__Host-`)."""

    settings: Settings
    keys: Keys
    database: Database
    archive: Archive

    @property
    def https(self) -> bool:
        return self.settings.url.startswith("https://")

    @property
    def host(self) -> str:
        """Host and port of the public address, as a browser sends them."""
        return self.settings.url.split("://", 1)[1].split("/", 1)[0]


def attach(app: Flask, installation: Installation) -> None:
    app.extensions[_NAME] = installation


def here() -> Installation:
    """The installation of the app that serves this request."""
    return cast(Installation, current_app.extensions[_NAME])
