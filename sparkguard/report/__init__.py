"""One run as a page: rows are read, become views, and views become HTML; each step is pure but the first."""

from sparkguard.report.build import page
from sparkguard.report.html import render
from sparkguard.report.reading import recorded_runs

__all__ = ["page", "recorded_runs", "render"]
