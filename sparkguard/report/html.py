"""The page as HTML: one file without scripts, without anything from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparkguard.report.reading import SHOWN_EVIDENCE
from sparkguard.report.views import Page
from sparkguard.report.words import visible

if TYPE_CHECKING:
    from jinja2 import Environment

_LABELS = {
    "pass": "pass",
    "warn": "warning",
    "fail": "fail",
    "error": "not evaluated",
    "skipped": "skipped",
}


def render(page: Page) -> str:
    """The page as a whole file; whatever comes from tables is text in it, never markup."""
    return _environment().get_template("page.html").render(page=page, labels=_LABELS, shown_evidence=SHOWN_EVIDENCE)


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    def seen(value: Any) -> Any:
        return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    return Environment(
        loader=PackageLoader("sparkguard.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
