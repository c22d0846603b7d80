"""The 64-bit hash by which Spark tells texts apart, in plain Python."""

from __future__ import annotations

_MASK = 2**64 - 1
_P1, _P2, _P3, _P4, _P5 = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)
_SEED = 42
_STRIPE, _WORD, _HALF = 32, 8, 4


def hash_of_text(text: str) -> int:
    """What Spark's `xxhash64` of a text is: XXH64 of its UTF-8 bytes with seed 42, as a signed number."""
    data = text.encode()
    found, at = _stripes(data) if len(data) >= _STRIPE else ((_SEED + _P5) & _MASK, 0)
    found = (found + len(data)) & _MASK
    while at + _WORD <= len(data):
        found = (_left(found ^ _round(0, _word(data, at, _WORD)), 27) * _P1 + _P4) & _MASK
        at += _WORD
    if at + _HALF <= len(data):
        found = (_left(found ^ (_word(data, at, _HALF) * _P1 & _MASK), 23) * _P2 + _P3) & _MASK
        at += _HALF
    for byte in data[at:]:
        found = _left(found ^ (byte * _P5 & _MASK), 11) * _P1 & _MASK
    for shift, prime in ((33, _P2), (29, _P3), (32, 1)):
        found = (found ^ (found >> shift)) * prime & _MASK
    return found - 2**64 if found >= 2**63 else found


def _stripes(data: bytes) -> tuple[int, int]:
    """The hash of all whole stripes of 32 bytes, and where the rest begins."""
    lanes = [(_SEED + _P1 + _P2) & _MASK, (_SEED + _P2) & _MASK, _SEED, (_SEED - _P1) & _MASK]
    at = 0
    while at + _STRIPE <= len(data):
        lanes = [_round(lane, _word(data, at + i * _WORD, _WORD)) for i, lane in enumerate(lanes)]
        at += _STRIPE
    found = sum(_left(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18), strict=True)) & _MASK
    for lane in lanes:
        found = ((found ^ _round(0, lane)) * _P1 + _P4) & _MASK
    return found, at


def _round(lane: int, word: int) -> int:
    return _left((lane + word * _P2) & _MASK, 31) * _P1 & _MASK


def _left(value: int, bits: int) -> int:
    return (value << bits | value >> (64 - bits)) & _MASK


def _word(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")
