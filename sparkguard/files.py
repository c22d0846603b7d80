"""Files that commands write."""

from __future__ import annotations

import os
from pathlib import Path

from sparkguard.errors import ConfigError, Problem


def write_whole(text: str, target: Path) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part."""
    place = target.resolve()
    content = text.encode("utf-8", errors="replace")
    try:
        if _is_device(place):
            place.write_bytes(content)  # a pipe or a device must stay what it is
            return
        part = _part_of(place)
        try:
            part.write_bytes(content)
            part.replace(place)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise _not_written(target, error) from error


def require_writable(target: Path) -> None:
    """Refuse a file that `write_whole` could not write; its folder is made."""
    place = target.resolve()
    if place.is_dir():
        raise ConfigError(Problem(f"'{target}' is a folder; name a file in it", path="--output"))
    try:
        if not _is_device(place):
            part = _part_of(place)
            part.touch()
            part.unlink()
    except OSError as error:
        raise _not_written(target, error) from error


def _is_device(place: Path) -> bool:
    return place.exists() and not place.is_file() and not place.is_dir()


def _part_of(place: Path) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    return place.with_name(f".{place.name}.{os.getpid()}.part")


def _not_written(target: Path, error: OSError) -> ConfigError:
    return ConfigError(Problem(f"'{target}' cannot be written: {error.strerror}", path="--output"))
