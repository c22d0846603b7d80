"""What the names of columns tell: ids, moments, promises, people, secrets."""

from __future__ import annotations

import re

from sparkguard.core.text import is_secret

_ID_NAME = re.compile(
    r"(?:^|[^A-Za-z])(?:id|ids|key|keys|uuid|guid|pk|sk|code|no|nr)$|[a-z](?:Id|ID|Key|Code)$|(?:key|num|number)$",
    re.ASCII,
)
_COUNTED_ON = re.compile(
    r"(?:^|[^A-Za-z])(?:id|ids|key|keys|uuid|guid|pk|sk|no|nr)$|[a-z](?:Id|ID|Key)$|key$", re.ASCII
)
_NUMBERED = re.compile(r"(?:num|number|sequence|offset)|seq(?:no|num|nr)?")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_OF_TIME = r"(?:date|day|time|timestamp|datetime|ts|at|on)?"
_EVENTS = frozenset(("ts", "time", "timestamp", "event", "at", "date", "day", "dt", "ds", "hour", "datetime"))
_GLUED_EVENT = re.compile(r"\w+(?:date|time|timestamp)")
_PROMISE = re.compile(rf"(?:birth|dob|due|expir[a-z]*?|valid|validity|until|end|deadline|commit|promised?){_OF_TIME}")
_PIPELINE = re.compile(
    rf"(?:receipt|deliver[a-z]*?|updated?|modified|modification|load|loaded|ingest|ingested|ingestion){_OF_TIME}"
)
_CALENDAR = frozenset(("year", "month", "yearmonth", "week", "weekday", "dow", "doy", "dayofweek", "quarter"))
_PERSONAL = re.compile(
    r"(?:e?mail|phone|telephone|fax|ssn|iban|passport|surname|(?:first|last|full|user|middle|maiden)name|address|"
    r"street|dob|birth(?:date|day)?|ip)s?"
)
_OF_A_PERSON = re.compile(r"(?:first|last|full|user|middle|maiden|customer|person|patient|employee) name|e mail")


def words_of(name: str) -> list[str]:
    """`order_date`, `orderDate` and `ORDER DATE` as two words."""
    return [word.lower() for word in _WORDS.findall(name)]


def looks_like_id(name: str) -> bool:
    """Whether a name is that of something that names rows: `user_id`, `orderkey`, `tailnum`, `countryCode`."""
    return _ID_NAME.search(name) is not None


def is_handed_out(name: str) -> bool:
    """Whether whole numbers of this name are handed out one after the other, so that they are kinds of nothing."""
    return _COUNTED_ON.search(name) is not None


def is_numbered(name: str) -> bool:
    """Whether whole numbers of this name, if they are many, are handed out: `order_number`, `seq`."""
    last = (words_of(name) or [""])[-1]
    return is_handed_out(name) or _NUMBERED.fullmatch(last) is not None or last.endswith("number")


def is_event(name: str) -> bool:
    """Whether a name is that of a day or moment: `event_time`, `created_at`, `shipdate`."""
    return any(word in _EVENTS or _GLUED_EVENT.fullmatch(word) for word in words_of(name))


def is_promise(name: str) -> bool:
    """Whether a day or moment of this name is of a life or a promise, not of what happened to the row."""
    return any(_PROMISE.fullmatch(word) for word in words_of(name))


def is_of_pipeline(name: str) -> bool:
    """Whether a day or moment of this name is of what came after the event, or of the pipeline's work."""
    return any(_PIPELINE.fullmatch(word) for word in words_of(name))


def goes_on(name: str) -> bool:
    """Whether tomorrow brings other values to a column of this name: `month`, `ds`, `event_ts`."""
    words = words_of(name)
    last = words[-1] if words else ""
    return last in _EVENTS - {"event"} or not _CALENDAR.isdisjoint(words)


def unit_of(name: str) -> str:
    """What clocks and calendars count, if the name says so: `hour` of `dep_hour`, `dayofweek` of `day_of_week`."""
    return (" ".join(words_of(name)).replace(" of ", "of").split() or [""])[-1]


def is_personal(name: str) -> bool:
    """Whether values of this name are of a person, or a secret."""
    words = words_of(name)
    personal = any(_PERSONAL.fullmatch(word) for word in words) or _OF_A_PERSON.search(" ".join(words)) is not None
    return personal or is_secret(name)
