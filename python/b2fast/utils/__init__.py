"""Small helpers, by subject. A module is imported when one of its names is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..lazy_names import load_name

if TYPE_CHECKING:
    from .clock import (
        current_time_millis as current_time_millis,
    )
    from .docs import (
        get_b2sdk_doc_urls as get_b2sdk_doc_urls,
    )
    from .file_names import (
        validate_b2_file_name as validate_b2_file_name,
    )
    from .filesystem import (
        fix_windows_path_limit as fix_windows_path_limit,
        validate_b2_file_name_as_path as validate_b2_file_name_as_path,
    )
    from .hashing import (
        b64_of_bytes as b64_of_bytes,
        hex_md5_of_bytes as hex_md5_of_bytes,
        hex_sha1_of_bytes as hex_sha1_of_bytes,
        hex_sha1_of_file as hex_sha1_of_file,
        hex_sha1_of_stream as hex_sha1_of_stream,
        md5_of_bytes as md5_of_bytes,
    )
    from .iteration import (
        iterator_peek as iterator_peek,
    )
    from .log_filter import (
        UrllibWarningFilter as UrllibWarningFilter,
    )
    from .mtime import (
        get_file_mtime as get_file_mtime,
        set_file_mtime as set_file_mtime,
    )
    from .naming import (
        camelcase_to_underscore as camelcase_to_underscore,
    )
    from .numbers import (
        format_and_scale_fraction as format_and_scale_fraction,
        format_and_scale_number as format_and_scale_number,
    )
    from .parts import (
        choose_part_ranges as choose_part_ranges,
    )
    from .special_files import (
        is_special_file as is_special_file,
    )
    from .stream_hashing import (
        IncrementalHexDigester as IncrementalHexDigester,
        hex_sha1_of_unlimited_stream as hex_sha1_of_unlimited_stream,
        update_digest_from_stream as update_digest_from_stream,
    )
    from .text import (
        escape_control_chars as escape_control_chars,
        substitute_control_chars as substitute_control_chars,
        unprintable_to_hex as unprintable_to_hex,
    )
    from .token_guard import (
        ConcurrentUsedAuthTokenGuard as ConcurrentUsedAuthTokenGuard,
    )
    from .trace import (
        B2TraceMeta as B2TraceMeta,
        B2TraceMetaAbstract as B2TraceMetaAbstract,
        disable_trace as disable_trace,
        limit_trace_arguments as limit_trace_arguments,
        trace_call as trace_call,
    )
    from .url import (
        b2_url_decode as b2_url_decode,
        b2_url_encode as b2_url_encode,
    )

_NAMES: dict[str, tuple[str, ...]] = {
    'clock': ('current_time_millis',),
    'docs': ('get_b2sdk_doc_urls',),
    'file_names': ('validate_b2_file_name',),
    'filesystem': (
        'fix_windows_path_limit',
        'validate_b2_file_name_as_path',
    ),
    'hashing': (
        'b64_of_bytes',
        'hex_md5_of_bytes',
        'hex_sha1_of_bytes',
        'hex_sha1_of_file',
        'hex_sha1_of_stream',
        'md5_of_bytes',
    ),
    'iteration': ('iterator_peek',),
    'log_filter': ('UrllibWarningFilter',),
    'mtime': (
        'get_file_mtime',
        'set_file_mtime',
    ),
    'naming': ('camelcase_to_underscore',),
    'numbers': (
        'format_and_scale_fraction',
        'format_and_scale_number',
    ),
    'parts': ('choose_part_ranges',),
    'special_files': ('is_special_file',),
    'stream_hashing': (
        'IncrementalHexDigester',
        'hex_sha1_of_unlimited_stream',
        'update_digest_from_stream',
    ),
    'text': (
        'escape_control_chars',
        'substitute_control_chars',
        'unprintable_to_hex',
    ),
    'token_guard': ('ConcurrentUsedAuthTokenGuard',),
    'trace': (
        'B2TraceMeta',
        'B2TraceMetaAbstract',
        'disable_trace',
        'limit_trace_arguments',
        'trace_call',
    ),
    'url': (
        'b2_url_decode',
        'b2_url_encode',
    ),
}
"""The names of each module; the imports above say the same to type checkers."""

_MODULES = {name: module for module, names in _NAMES.items() for name in names}

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    return load_name(globals(), _MODULES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
