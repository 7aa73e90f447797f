"""Both stores, every test of the contract."""

from pathlib import Path

import pytest

from cloudfilm import archive as archives
from cloudfilm import settings
from cloudfilm.archive.contract import Archive


@pytest.fixture(params=["filesystem", "s3"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    """An empty archive, opened as the product opens it."""
    environment = {"CLOUDFILM_HOME": str(tmp_path)}
    if request.param == "s3":
        server = request.getfixturevalue("s3_server")
        environment |= {"CLOUDFILM_ARCHIVE": request.getfixturevalue("s3_url"), "CLOUDFILM_S3_ENDPOINT": server.endpoint}
    return archives.connect(settings.read(environment))
