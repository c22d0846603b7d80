"""Files that a check's fields name, read through the context of its validation."""

from __future__ import annotations

from pydantic import ValidationInfo


def read_named(path: str, info: ValidationInfo) -> str:
    """The text of a file, by the context's `read`; `ValueError` if it cannot be read, nothing without a context."""
    read = (info.context or {}).get("read")
    try:
        return str(read(path)) if read else ""
    except UnicodeDecodeError as error:
        message = f"{path}: is not text in UTF-8"
        raise ValueError(message) from error
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}"
        raise ValueError(message) from error
