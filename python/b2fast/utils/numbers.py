"""Numbers for people to read."""

from __future__ import annotations

_PREFIXES = ('', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y')


def format_and_scale_number(x: float, unit: str) -> str:
    """A number with three digits or more and the decimal prefix that fits: ``1.23 MB``.

    :param x: the number; below 1000 it is shown without decimals
    :param unit: the unit, which the prefix is put before
    """
    if x < 1000:
        return f'{int(x)} {unit}'
    scale, prefix = _scale_of(x)
    scaled = x / scale
    return f'{scaled:.{_decimals_of(scaled)}f} {prefix}{unit}'


def format_and_scale_fraction(numerator: float, denominator: float, unit: str) -> str:
    """Two numbers at the scale that fits the second: ``0.40 / 1.23 MB``.

    :param unit: the unit, which the prefix is put before
    """
    if denominator < 1000:
        return f'{int(numerator)} / {int(denominator)} {unit}'
    scale, prefix = _scale_of(denominator)
    scaled = denominator / scale
    decimals = _decimals_of(scaled)
    return f'{numerator / scale:.{decimals}f} / {scaled:.{decimals}f} {prefix}{unit}'


def _scale_of(x: float) -> tuple[int, str]:
    """The largest power of 1000 that is not above the number, and its prefix."""
    index = min((len(str(int(x))) - 1) // 3, len(_PREFIXES) - 1)
    return 1000**index, _PREFIXES[index]


def _decimals_of(scaled: float) -> int:
    if scaled < 10:
        return 2
    return 1 if scaled < 100 else 0
