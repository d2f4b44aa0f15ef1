"""Lengths of time and counts, as they are shown."""


def duration(seconds: float) -> str:
    """A length of time in short: `40 ms`, `8.2 s`, `3 min 05 s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    # Rounded before it is divided, or 119.7 s would be 1 min 60 s.
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def about(seconds: float) -> str:
    """An estimated length of time: no more digits than are known."""
    if seconds < 9.5:
        return f"{max(seconds, 1):.0f} s"
    # Two digits: an estimate of 3 min 07 s would claim to know.
    return duration(float(f"{seconds:.2g}")).removesuffix(" 00 s")


def ago(seconds: float) -> str:
    """How long ago something was, in its largest unit: `3 hours ago`."""
    for unit, of in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if (number := int(seconds / of)) >= 1:
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return "just now"


def count(number: int) -> str:
    """A large number in few letters: `928`, `14.8 k`, `1.26 M`."""
    for unit, of in (("M", 1e6), ("k", 1e3)):
        if number >= 0.9995 * of:  # what would round to a thousand of the unit below
            return f"{number / of:.3g} {unit}"
    return str(number)


def days(number: float) -> str:
    """A number of days: `1 day`, `7 days`, `0.5 days`."""
    return f"{number:g} day{'' if number == 1 else 's'}"
