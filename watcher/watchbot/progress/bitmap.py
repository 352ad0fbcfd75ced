"""A bit for each part, in bytes: a part is done when its bit is set."""

from __future__ import annotations


def empty(bits: int) -> bytes:
    """Give a bitmap of this many bits, none of them set."""
    return bytes(-(-bits // 8))


def is_set(bitmap: bytes, bit: int) -> bool:
    """Whether this bit is set."""
    return bool(bitmap[bit // 8] >> bit % 8 & 1)


def with_bit(bitmap: bytes, bit: int) -> bytes:
    """Give the same bitmap with this bit set."""
    changed = bytearray(bitmap)
    changed[bit // 8] |= 1 << bit % 8
    return bytes(changed)


def count(bitmap: bytes) -> int:
    """How many bits are set."""
    return int.from_bytes(bitmap).bit_count()
