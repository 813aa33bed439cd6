"""Days, as settings name them, in the seconds that REST APIs count."""

from __future__ import annotations

from datetime import UTC, datetime


def day_seconds(text: str, key: str) -> int:
    """The first second of a day, since 1970 (UTC). Raises ValueError, naming `key`, for what is no day."""
    try:
        return int(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise ValueError(f"{key} must be a day such as 2008-01-01, not {text!r}") from None
