"""A page as a reader of it sees it: its elements, and the text in them."""

from __future__ import annotations

from html.parser import HTMLParser

_VOID = {"meta", "br", "hr", "img", "link", "input"}


class Seen(HTMLParser):
    """Every element with its attributes, every text outside the style; refuses elements that are not closed."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open and data.strip():
            self.texts.append((tuple(self._open), " ".join(data.split())))

    @property
    def text(self) -> str:
        return " ".join(text for _, text in self.texts)

    def count(self, tag: str) -> int:
        return sum(1 for name, _ in self.elements if name == tag)

    def within(self, tag: str) -> list[str]:
        """The texts directly in or anywhere below elements of one kind."""
        return [text for path, text in self.texts if tag in path]

    def headings(self) -> list[tuple[int, str]]:
        found = [(next((p for p in path if p[0] == "h" and p[1:].isdigit()), ""), text) for path, text in self.texts]
        return [(int(tag[1:]), text) for tag, text in found if tag]
