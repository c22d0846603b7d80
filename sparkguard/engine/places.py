"""Places as Spark understands them: absolute, and taken as they are written."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlparse

_PATTERN = re.compile(r"[*?\[\]{}\\]")


def absolute(place: str) -> str:
    """A place with its scheme, or as a local path: Spark takes one without a scheme from elsewhere."""
    return place if urlparse(place).scheme else str(Path(place).absolute())


def literal(place: str) -> str:
    """An absolute place in which no character is a pattern to Spark's readers."""
    return _PATTERN.sub(lambda match: "\\" + match[0], absolute(place))
