"""The disk port: every durable write of the hospital side goes through it, so that a test can cut the power at any step."""

import os
import shutil
from pathlib import Path
from typing import Protocol


class Disk(Protocol):
    """What a spool needs of a file system. `write` alone promises nothing; `sync`, `rename` and `sync_folder` together do."""

    def write(self, path: Path, data: bytes) -> None: ...
    def sync(self, path: Path) -> None: ...
    def rename(self, source: Path, target: Path) -> None: ...
    def sync_folder(self, folder: Path) -> None: ...
    def free_bytes(self, folder: Path) -> int: ...


class RealDisk:
    """The machine's own file system."""

    def write(self, path: Path, data: bytes) -> None:
        with path.open("xb") as file:
            file.write(data)

    def sync(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        source.rename(target)

    def sync_folder(self, folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def free_bytes(self, folder: Path) -> int:
        return shutil.disk_usage(folder).free
