"""The kinds of tokens."""

from __future__ import annotations

from enum import Enum


class TokenType(Enum):
    """What a token was given for."""

    API = 'api'
    """Any call, together with the URL of the API."""
    API_TOKEN_ONLY = 'api_token_only'  # noqa: S105
    """Any call, where the URL is known otherwise, as for downloads."""
    UPLOAD_PART = 'upload_part'
    """Parts of one large file, by one upload at a time."""
    UPLOAD_SMALL = 'upload_small'
    """Files of one bucket, by one upload at a time."""
