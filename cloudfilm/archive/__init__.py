"""The object store, and the mailbox in it: the one thing that hospital side and cloud side both reach."""

from cloudfilm.settings import Settings

from .contract import Archive


def connect(settings: Settings) -> Archive:
    """The archive of the setting: a folder, or s3://bucket/prefix."""
    if settings.archive.startswith("s3://"):
        from .s3 import S3Archive

        return S3Archive.from_url(settings.archive, settings.s3_endpoint)
    from pathlib import Path

    from .filesystem import FilesystemArchive

    return FilesystemArchive(Path(settings.archive))
