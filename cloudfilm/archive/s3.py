"""The archive in an S3 bucket. Only this module knows boto3.

Each object carries its SHA-256 as metadata (what stat() tells) and as a checksum that the store itself verifies. It is stored on the
condition that nothing is there, so of two writers one wins and the other sees whose bytes stand. A store without that condition
(501) is asked first instead: there, two writers of the same key at the same moment are not told apart, but our keys name content.
"""

import base64
import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Self
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError
from urllib3.exceptions import HTTPError

from .contract import (
    CHUNK,
    ArchiveMissing,
    ArchiveRefused,
    ArchiveUnavailable,
    Stat,
    check_deletable,
    check_key,
    sha256_of,
)

PART = 32 << 20  # bytes of one part of a large upload, and above which an upload is cut into parts
READ_TRIES = 4  # how often a broken stream is taken up again where it broke
CONNECT_S_MAX = 5
ANSWER_S_MAX = 30
TRIES = 4  # of one request, with growing pauses (botocore's standard mode)

_TAKEN = {"PreconditionFailed", "412"}
_RACE = {"ConditionalRequestConflict", "409"}
_MISSING = {"NoSuchKey", "NotFound", "404"}
_DAMAGED = {"BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch", "IncompleteBody"}
_STREAM_BROKE = (BotoCoreError, HTTPError, OSError)


class S3Archive:
    """Objects under one prefix of one bucket. May be used by several threads; not across a fork."""

    def __init__(self, client: Any, bucket: str, prefix: str = "", part: int = PART) -> None:
        self._client, self._bucket, self._part = client, bucket, part
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._conditions = True  # the store honours If-None-Match

    @classmethod
    def from_url(cls, url: str, endpoint: str | None) -> Self:
        """From `s3://bucket/prefix`; credentials and region as every AWS tool finds them. Raises ArchiveRefused."""
        parts = urlsplit(url)
        config = Config(
            signature_version="s3v4",
            connect_timeout=CONNECT_S_MAX,
            read_timeout=ANSWER_S_MAX,
            retries={"total_max_attempts": TRIES, "mode": "standard"},
            max_pool_connections=16,
            s3={"addressing_style": "path" if endpoint else "auto"},
            # Our own SHA-256 goes with every object; more checksums would only cost time and trouble older stores.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        session = boto3.session.Session()
        try:
            client = session.client("s3", endpoint_url=endpoint, config=config, region_name=session.region_name or "us-east-1")
        except (BotoCoreError, ValueError) as error:
            raise ArchiveRefused("the S3 archive's address or profile cannot be used; check CLOUDFILM_S3_ENDPOINT") from error
        return cls(client, parts.netloc, parts.path)

    def put(self, key: str, source: bytes | Path, sha256: str) -> None:
        check_key(key)
        if sha256_of(source) != sha256:
            raise ArchiveRefused("what should be stored is not what was announced; nothing was stored")
        if self._same(key, sha256):
            return
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        upload = self._put_parts if size > self._part else self._put_whole
        try:
            upload(key, source, sha256)
        except ClientError as error:
            code = _code(error)
            if code == "NotImplemented" and self._conditions:
                self._conditions = False
                self.put(key, source, sha256)
                return
            if code in _RACE and not self._there(key):
                raise ArchiveUnavailable("another writer is storing this object at this moment; nothing was lost") from error
            if code not in _TAKEN | _RACE:
                raise _translated(error) from error
        except (BotoCoreError, HTTPError, OSError) as error:
            raise _translated(error) from error
        if not self._same(key, sha256):
            raise ArchiveUnavailable("the S3 archive took an object and does not show it; nothing was lost")

    def _same(self, key: str, sha256: str) -> bool:
        """Whether the object is there with this hash; raises ArchiveRefused when it is there with another."""
        try:
            there = self.stat(key)
        except ArchiveMissing:
            return False
        if there.sha256 != sha256:
            raise ArchiveRefused("other content is kept under this key already; it was left as it is")
        return True

    def _there(self, key: str) -> bool:
        try:
            self.stat(key)
        except ArchiveMissing:
            return False
        return True

    def _where(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + key}

    def _condition(self) -> dict[str, str]:
        return {"IfNoneMatch": "*"} if self._conditions else {}

    def _put_whole(self, key: str, source: bytes | Path, sha256: str) -> None:
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        with _body(source) as body:
            self._client.put_object(
                **self._where(key), **self._condition(), Body=body, Metadata={"sha256": sha256}, ChecksumSHA256=checksum
            )

    def _put_parts(self, key: str, source: bytes | Path, sha256: str) -> None:
        """A large object part by part, so that a broken line costs one part. It appears at completion, whole."""
        where = self._where(key)
        upload = self._client.create_multipart_upload(**where, Metadata={"sha256": sha256}, ChecksumAlgorithm="SHA256")["UploadId"]
        try:
            with _opened(source) as file:
                parts = [self._put_part(where, upload, number, data) for number, data in enumerate(_cut(file, self._part), 1)]
            self._client.complete_multipart_upload(**where, **self._condition(), UploadId=upload, MultipartUpload={"Parts": parts})
        except BaseException:
            with contextlib.suppress(ClientError, BotoCoreError, HTTPError, OSError):
                self._client.abort_multipart_upload(**where, UploadId=upload)
            raise

    def _put_part(self, where: dict[str, str], upload: str, number: int, data: bytes) -> dict[str, Any]:
        checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
        done = self._client.upload_part(**where, UploadId=upload, PartNumber=number, Body=data, ChecksumSHA256=checksum)
        return {"PartNumber": number, "ETag": done["ETag"], "ChecksumSHA256": checksum}

    def open(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        check_key(key)
        if length == 0:
            self.stat(key)
            return iter(())
        body = self._body_from(key, start, length)
        return iter(()) if body is None else self._pieces(key, body, start, length)

    def _body_from(self, key: str, start: int, length: int | None) -> Any:
        """The open body of [start, start+length); None when `start` is at or behind the object's end."""
        end = "" if length is None else str(start + length - 1)
        span = {} if start == 0 and length is None else {"Range": f"bytes={start}-{end}"}
        try:
            return self._client.get_object(**self._where(key), **span)["Body"]
        except ClientError as error:
            if _code(error) in ("InvalidRange", "416"):
                return None
            raise _translated(error) from error
        except (BotoCoreError, HTTPError, OSError) as error:
            raise _translated(error) from error

    def _pieces(self, key: str, body: Any, start: int, length: int | None) -> Iterator[bytes]:
        at, end, tries = start, None if length is None else start + length, READ_TRIES
        while body is not None:
            try:
                with contextlib.closing(body):
                    while piece := body.read(CHUNK):
                        at += len(piece)
                        yield piece
                return
            except _STREAM_BROKE as error:
                tries -= 1
                if not tries:
                    raise _translated(error) from error
            if at == end:
                return
            body = self._body_from(key, at, None if end is None else end - at)

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        return b"".join(self.open(key, start, length))

    def stat(self, key: str) -> Stat:
        check_key(key)
        try:
            head = self._client.head_object(**self._where(key))
        except (ClientError, BotoCoreError, HTTPError, OSError) as error:
            raise _translated(error) from error
        return Stat(head["ContentLength"], head["Metadata"].get("sha256", ""))

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix + prefix, **({"StartAfter": self._prefix + after} if after else {})
        )
        try:
            for page in pages:
                for found in page.get("Contents", ()):
                    key = found["Key"].removeprefix(self._prefix)
                    if key > after:
                        yield key
        except (ClientError, BotoCoreError, HTTPError, OSError) as error:
            raise _translated(error) from error

    def delete(self, key: str) -> None:
        check_deletable(key)
        try:
            self._client.delete_object(**self._where(key))
        except (ClientError, BotoCoreError, HTTPError, OSError) as error:
            translated = _translated(error)
            if not isinstance(translated, ArchiveMissing):
                raise translated from error


@contextlib.contextmanager
def _opened(source: bytes | Path) -> Iterator[BinaryIO]:
    import io

    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    with source.open("rb") as file:
        yield file


@contextlib.contextmanager
def _body(source: bytes | Path) -> Iterator[bytes | BinaryIO]:
    if isinstance(source, bytes):
        yield source
        return
    with source.open("rb") as file:
        yield file


def _cut(file: BinaryIO, size: int) -> Iterator[bytes]:
    while part := file.read(size):
        yield part


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _translated(error: Exception) -> ArchiveMissing | ArchiveRefused | ArchiveUnavailable:
    """Which of our three errors it is: whether asking again can help is decided here. The cause's text names keys: not repeated."""
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return ArchiveRefused("the S3 archive needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; they are not set")
    if not isinstance(error, ClientError):
        return ArchiveUnavailable("the S3 archive cannot be reached or broke off; nothing was lost")
    code, status = _code(error), int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _MISSING:
        return ArchiveMissing("there is no such object in the archive")
    if code == "NoSuchBucket":
        return ArchiveRefused("the bucket of CLOUDFILM_ARCHIVE does not exist; make it first")
    if code in _DAMAGED:
        return ArchiveUnavailable("an object was damaged on its way to the S3 archive and not stored; nothing was lost")
    if status >= 500 or status == 429 or code in ("SlowDown", "RequestTimeout", "ServiceUnavailable", "InternalError"):
        return ArchiveUnavailable(f"the S3 archive answered {status or code}; nothing was lost")
    if status in (401, 403):
        return ArchiveRefused("the S3 archive denies access; check its keys, its rights and this machine's clock")
    return ArchiveRefused(f"the S3 archive refuses ({code or status}); a person must look at it")
