"""CORS: which rules a bucket can have, and what they say to a browser.

Source: B2's documentation of CORS rules. Rules apply to downloads and uploads; the calls about an
account have none. Of several rules the first that matches counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import errors

if TYPE_CHECKING:
    from .bucket import Bucket

_OPERATIONS = frozenset(
    (
        'b2_download_file_by_name',
        'b2_download_file_by_id',
        'b2_upload_file',
        'b2_upload_part',
        's3_delete',
        's3_get',
        's3_head',
        's3_post',
        's3_put',
    )
)
#: The calls that browsers may make from a page of another origin.
CALLS = tuple(sorted(name for name in _OPERATIONS if name.startswith('b2_')))

_NAME = re.compile(r'(?!b2-)[A-Za-z0-9-]{6,50}')
_ORIGIN = re.compile(r'https?://[^*/?#\s]*(?:\*[^*/?#\s]*)?')
_HEADER_NAME = re.compile(r"[!#$%&'+\-.^_`|~0-9A-Za-z]+")
_MAX_AGE = 86_400
_MAX_RULES = 100


def check_rules(rules: Sequence[Mapping[str, Any]]) -> None:
    """Refuses CORS rules that no bucket can have.

    :raises SimulatedError: 400.
    """
    if len(rules) > _MAX_RULES:
        raise errors.bad_request(f'corsRules: at most {_MAX_RULES} rules')
    names = [rule.get('corsRuleName') for rule in rules]
    for name in names:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise errors.bad_request('corsRules: a name has 6 to 50 letters, digits and -')
    if len(set(names)) < len(names):
        raise errors.bad_request('corsRules: two rules have the same name')
    for rule in rules:
        _check_origins(_texts(rule, 'allowedOrigins'))
        operations = _texts(rule, 'allowedOperations')
        if not operations or not set(operations) <= _OPERATIONS:
            raise errors.bad_request('corsRules: allowedOperations has none, or unknown ones')
        allowed = _texts(rule, 'allowedHeaders')
        if not all(entry == '*' or _HEADER_NAME.fullmatch(_stem(entry)) for entry in allowed):
            raise errors.bad_request('corsRules: illegal entry in allowedHeaders')
        if '*' in allowed and len(allowed) > 1:
            raise errors.bad_request('corsRules: * has to be the only one of allowedHeaders')
        if not all(map(_HEADER_NAME.fullmatch, _texts(rule, 'exposeHeaders'))):
            raise errors.bad_request('corsRules: illegal entry in exposeHeaders')
        age = rule.get('maxAgeSeconds')
        if type(age) is not int or not 0 <= age <= _MAX_AGE:
            raise errors.bad_request(f'corsRules: maxAgeSeconds has to be 0 to {_MAX_AGE}')


def _texts(rule: Mapping[str, Any], key: str) -> list[str]:
    found = rule.get(key)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(entry, str) for entry in found):
        raise errors.bad_request(f'corsRules: {key} has to be an array of strings')
    return found


def _stem(allowed_header: str) -> str:
    return allowed_header.removesuffix('*')


def _check_origins(origins: list[str]) -> None:
    if not origins:
        raise errors.bad_request('corsRules: allowedOrigins must not be empty')
    if '*' in origins and len(origins) > 1:
        raise errors.bad_request('corsRules: * has to be the only one of allowedOrigins')
    if 'https' in origins:
        later = origins[origins.index('https') + 1 :]
        if any(origin == 'https' or origin.startswith('https:') for origin in later):
            raise errors.bad_request('corsRules: https covers an origin that follows it')
    for origin in origins:
        if origin not in ('*', 'https') and not _ORIGIN.fullmatch(origin):
            raise errors.bad_request(f'corsRules: illegal origin {origin!r}')


def preflight(bucket: Bucket | None, call: str, headers: Mapping[str, str]) -> dict[str, str]:
    """Returns the headers that answer a browser's question before it makes a call.

    :param bucket: the bucket that the call is about, if it is known.
    :param headers: of the question, names in lower case.
    :raises SimulatedError: 400 if it is none; 403 if no rule allows the call.
    """
    origin = headers.get('origin')
    method = headers.get('access-control-request-method')
    if origin is None or method is None:
        raise errors.bad_request(
            'OPTIONS needs the headers Origin and Access-Control-Request-Method'
        )
    wanted = [
        name.strip().lower()
        for name in headers.get('access-control-request-headers', '').split(',')
        if name.strip()
    ]
    rule = _rule_for(bucket, call, origin, wanted)
    if rule is None:
        raise errors.not_allowed_by_cors()
    answer = {
        **_answer_to(rule, origin),
        'Access-Control-Allow-Methods': method,
        'Access-Control-Max-Age': str(rule['maxAgeSeconds']),
    }
    if wanted:
        answer['Access-Control-Allow-Headers'] = ', '.join(wanted)
    return answer


def headers_for(bucket: Bucket | None, call: str, origin: str) -> dict[str, str]:
    """Returns the headers that let a page of an origin see the answer of a call.

    :return: none if no rule allows it.
    """
    rule = _rule_for(bucket, call, origin, [])
    if rule is None:
        return {}
    answer = _answer_to(rule, origin)
    exposed = _texts(rule, 'exposeHeaders')
    if exposed:
        answer['Access-Control-Expose-Headers'] = ', '.join(exposed)
    return answer


def _answer_to(rule: Mapping[str, Any], origin: str) -> dict[str, str]:
    anyone = rule['allowedOrigins'] == ['*']
    return {'Access-Control-Allow-Origin': '*' if anyone else origin, 'Vary': 'Origin'}


def _rule_for(
    bucket: Bucket | None, call: str, origin: str, wanted: list[str]
) -> Mapping[str, Any] | None:
    for rule in () if bucket is None else bucket.cors_rules:
        if (
            call in rule['allowedOperations']
            and any(_covers_origin(pattern, origin) for pattern in rule['allowedOrigins'])
            and all(_covers_header(rule, name) for name in wanted)
        ):
            return rule
    return None


def _covers_origin(pattern: str, origin: str) -> bool:
    if pattern == '*':
        return True
    if pattern == 'https':
        return origin.lower().startswith('https://')
    return (
        re.fullmatch(re.escape(pattern).replace(r'\*', '[^/]*'), origin, re.IGNORECASE) is not None
    )


def _covers_header(rule: Mapping[str, Any], name: str) -> bool:
    return any(
        name.startswith(_stem(entry).lower()) if entry.endswith('*') else name == entry.lower()
        for entry in _texts(rule, 'allowedHeaders')
    )
