"""Event notifications: the rules of a bucket, which of them an event meets, what it says.

The rules are plain JSON data, as the calls take and give them.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
import string
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from . import errors, rules

if TYPE_CHECKING:
    from .bucket import Bucket
    from .file import File

#: A rule as `b2_get_bucket_notification_rules` answers it.
Rule = dict[str, Any]
#: An event as it is sent.
Event = dict[str, Any]

UPLOADED = 'b2:ObjectCreated:Upload'
UPLOADED_IN_PARTS = 'b2:ObjectCreated:MultipartUpload'
COPIED = 'b2:ObjectCreated:Copy'
REPLICATED = 'b2:ObjectCreated:Replica'
REPLICATED_IN_PARTS = 'b2:ObjectCreated:MultipartReplica'
DELETED = 'b2:ObjectDeleted:Delete'
DELETED_BY_RULE = 'b2:ObjectDeleted:LifecycleRule'
HIDDEN = 'b2:HideMarkerCreated:Hide'
HIDDEN_BY_RULE = 'b2:HideMarkerCreated:LifecycleRule'
STARTED = 'b2:MultipartUploadCreated:LiveRead'
TEST = 'b2:TestEvent'

_SINGLE_TYPES = (
    UPLOADED,
    UPLOADED_IN_PARTS,
    COPIED,
    REPLICATED,
    REPLICATED_IN_PARTS,
    DELETED,
    DELETED_BY_RULE,
    HIDDEN,
    HIDDEN_BY_RULE,
    STARTED,
)
_VALID_TYPES = {*_SINGLE_TYPES, *(kind.rpartition(':')[0] + ':*' for kind in _SINGLE_TYPES)}
_HAVE_SIZE = (UPLOADED, UPLOADED_IN_PARTS, COPIED, REPLICATED, REPLICATED_IN_PARTS)

_MAX_RULES = 25
_MAX_BATCH = 50
_MAX_HEADERS = 10
_MAX_HEADER_BYTES = 2048
_RULE_NAME = re.compile(r'(?!b2-)[A-Za-z0-9-]{6,63}')
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r'(?! )[^\x00-\x1f\x7f\ud800-\udfff]*(?<! )')
_SECRET = re.compile(r'[A-Za-z0-9]{32}')
_URL = re.compile(r'[!-~]+')
# They say where a message goes and where it ends, which is not the rule's business.
_HEADERS_OF_HTTP = ('host', 'content-length', 'transfer-encoding', 'connection')


# Rules


def checked(given: Sequence[object], hosts: Collection[str] = ()) -> list[Rule]:
    """Returns rules as a bucket keeps them, by name; the caller's objects stay its own.

    What only the service decides (`isSuspended`, `suspensionReason`) is not looked at: no rule
    just set is suspended. A missing secret is made up.

    :param hosts: hosts beside the loopback ones that http:// may lead to.
    :raises SimulatedError: 400 `event_types_empty`, `event_type_invalid`,
        `event_type_categories`, `event_type_overlap`, `bad_request`.
    """
    if len(given) > _MAX_RULES:
        raise errors.bad_request(f'A bucket has at most {_MAX_RULES} event notification rules')
    found = sorted((_checked_rule(rule, hosts) for rule in given), key=lambda rule: rule['name'])
    names = [rule['name'] for rule in found]
    if len(set(names)) < len(names):
        raise errors.bad_request('Two event notification rules have the same name')
    return found


def _checked_rule(given: object, hosts: Collection[str]) -> Rule:
    if not isinstance(given, Mapping):
        raise errors.bad_request('An event notification rule has to be an object')
    name, prefix = given.get('name'), given.get('objectNamePrefix')
    if not isinstance(name, str) or not _RULE_NAME.fullmatch(name):
        raise errors.bad_request(
            f'Invalid rule name: {name!r}; 6 to 63 letters, digits and -, not b2-...'
        )
    if not isinstance(prefix, str):
        raise errors.bad_request(f'Rule {name}: objectNamePrefix has to be a string')
    if not isinstance(given.get('isEnabled'), bool):
        raise errors.bad_request(f'Rule {name}: isEnabled has to be a boolean')
    target = given.get('targetConfiguration')
    if not isinstance(target, Mapping):
        raise errors.bad_request(f'Rule {name}: targetConfiguration is required')
    return {
        'name': name,
        'eventTypes': _checked_event_types(name, given.get('eventTypes')),
        'isEnabled': given['isEnabled'],
        'isSuspended': False,
        'suspensionReason': '',
        'objectNamePrefix': prefix,
        'targetConfiguration': {
            **_checked_target(name, target, hosts),
            **_checked_batch(name, target),
        },
        **_checked_batch(name, given),
    }


def _checked_event_types(name: str, given: object) -> list[str]:
    if not isinstance(given, list) or not given:
        raise errors.bad_request(f'Rule {name} has no event types', 'event_types_empty')
    for kind in given:
        if not isinstance(kind, str) or kind not in _VALID_TYPES:
            raise errors.bad_request(f'Invalid event type: {kind}', 'event_type_invalid')
    categories = {kind.rpartition(':')[0] for kind in given}
    if len(categories) > 1:
        raise errors.bad_request(
            f'Rule {name} has event types of several categories', 'event_type_categories'
        )
    for one, other in combinations(given, 2):
        if one == other or one.endswith(':*') or other.endswith(':*'):
            raise errors.bad_request(
                f'Rule {name}: the event types {one} and {other} overlap', 'event_type_overlap'
            )
    return list(given)


def _checked_target(
    name: str, given: Mapping[str, object], hosts: Collection[str]
) -> dict[str, object]:
    if given.get('targetType') != 'webhook':
        raise errors.bad_request(f'Rule {name}: the targetType has to be webhook')
    url = given.get('url')
    if not isinstance(url, str) or not _is_webhook(url, hosts):
        raise errors.bad_request(
            f'Rule {name}: the url has to begin with https:// (http:// on loopback only)'
        )
    secret = given.get('hmacSha256SigningSecret')
    if secret is None:
        alphabet = string.ascii_letters + string.digits
        secret = ''.join(secrets.choice(alphabet) for _ in range(32))
    elif not isinstance(secret, str) or not _SECRET.fullmatch(secret):
        raise errors.bad_request(
            f'Rule {name}: the hmacSha256SigningSecret has to be 32 letters and digits'
        )
    return {
        'targetType': 'webhook',
        'url': url,
        'customHeaders': _checked_headers(name, given.get('customHeaders')),
        'hmacSha256SigningSecret': secret,
    }


def _is_webhook(url: str, hosts: Collection[str]) -> bool:
    if not _URL.fullmatch(url):
        return False
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or port == 0 or parts.username is not None:
        return False
    return parts.scheme == 'https' or (parts.scheme == 'http' and is_reachable(parts, hosts))


def is_loopback(host: str) -> bool:
    """Tells whether a host of a URL is this machine by its very name."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == 'localhost'


def is_reachable(url: SplitResult, hosts: Collection[str]) -> bool:
    """Tells whether events may be sent to a URL.

    :param hosts: those allowed beside the loopback ones, in lower case.
    """
    return url.hostname is not None and (is_loopback(url.hostname) or url.hostname in hosts)


def _checked_headers(name: str, given: object) -> list[dict[str, str]] | None:
    if given is None:
        return None
    if not isinstance(given, list) or len(given) > _MAX_HEADERS:
        raise errors.bad_request(f'Rule {name}: at most {_MAX_HEADERS} customHeaders, in an array')
    headers = [_checked_header(name, header) for header in given]
    if len({header['name'].lower() for header in headers}) < len(headers):
        raise errors.bad_request(f'Rule {name}: two customHeaders have the same name')
    size = sum(len(rules.encode(text)) for header in headers for text in header.values())
    if size > _MAX_HEADER_BYTES:
        raise errors.bad_request(
            f'Rule {name}: the customHeaders take {size} bytes; the limit is {_MAX_HEADER_BYTES}'
        )
    return headers


def _checked_header(rule_name: str, given: object) -> dict[str, str]:
    name, value = (
        (given.get('name'), given.get('value')) if isinstance(given, Mapping) else (None, None)
    )
    if (
        not isinstance(name, str)
        or not isinstance(value, str)
        or not _HEADER_NAME.fullmatch(name)
        or not _HEADER_VALUE.fullmatch(value)
        or name.lower().startswith('x-bz-')
        or name.lower() in _HEADERS_OF_HTTP
    ):
        raise errors.bad_request(f'Rule {rule_name}: invalid customHeaders entry {name!r}')
    return {'name': name, 'value': value}


def _checked_batch(name: str, given: Mapping[str, object]) -> dict[str, int]:
    # The sources disagree on its place: it is taken in both, and answered where it was given.
    number = given.get('maxEventsPerBatch')
    if number is None:
        return {}
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= _MAX_BATCH:
        raise errors.bad_request(f'Rule {name}: maxEventsPerBatch has to be 1 to {_MAX_BATCH}')
    return {'maxEventsPerBatch': number}


def batch_size(rule: Rule) -> int:
    """Returns how many events go into one request at most."""
    size: int = rule.get('maxEventsPerBatch') or rule['targetConfiguration'].get(
        'maxEventsPerBatch', 1
    )
    return size


def named(found: Sequence[Rule], name: str) -> Rule:
    """Returns the rule of a name.

    :raises SimulatedError: 404.
    """
    for rule in found:
        if rule['name'] == name:
            return rule
    raise errors.no_such_rule(name)


# Events


def matching(found: Sequence[Rule], event_type: str, file_name: str) -> Iterator[Rule]:
    """Yields the rules in force that an event meets."""
    accepted = {event_type, event_type.rpartition(':')[0] + ':*'}
    for rule in found:
        if (
            rule['isEnabled']
            and not rule['isSuspended']
            and file_name.startswith(rule['objectNamePrefix'])
            and not accepted.isdisjoint(rule['eventTypes'])
        ):
            yield rule


def new_event(bucket: Bucket, rule: Rule, event_type: str, file: File | None) -> Event:
    """Returns an event for a rule.

    :param file: the version it is about; None for test events.
    """
    return {
        'accountId': bucket.account_id,
        'bucketId': bucket.bucket_id,
        'bucketName': bucket.bucket_name,
        'eventId': secrets.token_hex(32),
        'eventTimestamp': bucket.profile.clock(),
        'eventType': event_type,
        'eventVersion': 1,
        'matchedRuleName': rule['name'],
        'objectName': None if file is None else file.name,
        'objectSize': file.content_length if file and event_type in _HAVE_SIZE else None,
        'objectVersionId': None if file is None else file.file_id,
    }
