"""What keys can be allowed to do (B2's documentation of application key capabilities)."""

from __future__ import annotations

from b2fast.raw_api import ALL_CAPABILITIES

from . import errors

# Names that B2 knows besides those that its Python client lists.
_NEWER = (
    'readBucketLifecycleRules',
    'readBucketLogging',
    'writeBucketLifecycleRules',
    'writeBucketLogging',
)
_KNOWN = frozenset((*ALL_CAPABILITIES, *_NEWER))
_ABOUT_ACCOUNT = frozenset(('deleteBuckets', 'deleteKeys', 'listKeys', 'writeBuckets', 'writeKeys'))


def check(capabilities: set[str], restricted: bool) -> None:
    """Refuses what no key can have.

    :param restricted: the key is restricted to buckets.
    :raises SimulatedError: 400.
    """
    if not capabilities or not capabilities <= _KNOWN:
        raise errors.bad_request('unknown capability, or none')
    too_much = capabilities & _ABOUT_ACCOUNT
    if restricted and too_much:
        shown = ', '.join(sorted(too_much))
        raise errors.bad_request(f'a key restricted to buckets cannot have {shown}')
