"""Where result tables live, and how two writers stay out of each other's way there."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlparse

from sparkguard.core.suite import Results
from sparkguard.errors import ConfigError

_LOCK = ".sparkguard.lock"
_PLAIN_S3 = ("s3", "s3a", "s3n")
_SAFE_LOG_STORE = "S3DynamoDBLogStore"


def absolute(path: str) -> str:
    """A path without a scheme from the root on: Spark's SQL takes relative ones from the warehouse."""
    return path if urlparse(path).scheme else str(Path(path).absolute())


def local_folder(results: Results) -> Path | None:
    """The folder on this machine, None for a URI elsewhere or a catalog."""
    if results.path is None:
        return None
    parsed = urlparse(results.path)
    if parsed.scheme in ("", "file"):
        return Path(parsed.path if parsed.scheme else results.path)
    return None


def require_safe(results: Results, log_store: str | None) -> None:
    """Refuse plain S3, where two writers would lose each other's commits."""
    scheme = urlparse(results.path or "").scheme
    if scheme in _PLAIN_S3 and not results.single_writer and _SAFE_LOG_STORE not in (log_store or ""):
        message = (
            f"results: {results.path} is on plain S3, where concurrent commits can be lost; "
            "write results: {path: ..., single_writer: true} if only one job at a time writes there, "
            f"or set spark.delta.logStore.{scheme}.impl to Delta's {_SAFE_LOG_STORE}"
        )
        raise ConfigError(message)


@contextmanager
def exclusive(results: Results) -> Iterator[None]:
    """Hold the folder's lock while writing: a local file system cannot arbitrate Delta's commits."""
    folder = local_folder(results)
    if folder is None:
        yield
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / _LOCK).open("a")
    except OSError:
        # Not this machine's folder after all (a path on a cluster's default file system), or not
        # writable: the write itself will tell.
        yield
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
