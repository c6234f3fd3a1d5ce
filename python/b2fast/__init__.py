"""Moves data to and from Backblaze B2: the API of b2sdk on a Rust core.

Every public name is here, and its module is imported when the name is first used: a program
that only lists files does not wait for what others need.

PYTEST_DONT_REWRITE: pytest would warn that the package, which holds a plugin, was there first.
"""

# One statement per module is easier to read than one per name.

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from . import _core
from ._core import __version__ as __version__
from .lazy_names import load_name

if TYPE_CHECKING:
    from .account_info import (
        AbstractAccountInfo as AbstractAccountInfo,
        InMemoryAccountInfo as InMemoryAccountInfo,
        StubAccountInfo as StubAccountInfo,
        UploadUrlPool as UploadUrlPool,
        UrlPoolAccountInfo as UrlPoolAccountInfo,
    )
    from .account_info.location import (
        B2_ACCOUNT_INFO_DEFAULT_FILE as B2_ACCOUNT_INFO_DEFAULT_FILE,
        B2_ACCOUNT_INFO_ENV_VAR as B2_ACCOUNT_INFO_ENV_VAR,
        B2_ACCOUNT_INFO_PROFILE_FILE as B2_ACCOUNT_INFO_PROFILE_FILE,
        XDG_CONFIG_HOME_ENV_VAR as XDG_CONFIG_HOME_ENV_VAR,
    )
    from .account_info.sqlite import (
        SqliteAccountInfo as SqliteAccountInfo,
    )
    from .api import (
        B2Api as B2Api,
    )
    from .api_config import (
        DEFAULT_HTTP_API_CONFIG as DEFAULT_HTTP_API_CONFIG,
        B2HttpApiConfig as B2HttpApiConfig,
    )
    from .application_key import (
        ApplicationKey as ApplicationKey,
        BaseApplicationKey as BaseApplicationKey,
        FullApplicationKey as FullApplicationKey,
    )
    from .b2http import (
        B2Http as B2Http,
        ResponseContextManager as ResponseContextManager,
    )
    from .bounded_queue_executor import (
        BoundedQueueExecutor as BoundedQueueExecutor,
    )
    from .bucket import (
        Bucket as Bucket,
    )
    from .bucket_factory import (
        BucketFactory as BucketFactory,
    )
    from .bulk.items import (
        BulkResult as BulkResult,
        CopyItem as CopyItem,
        DownloadItem as DownloadItem,
        UploadItem as UploadItem,
    )
    from .cache import (
        AbstractCache as AbstractCache,
        AuthInfoCache as AuthInfoCache,
        DummyCache as DummyCache,
        InMemoryCache as InMemoryCache,
    )
    from .cancel import (
        CancelToken as CancelToken,
        cancel_scope as cancel_scope,
    )
    from .encryption.setting import (
        SSE_B2_AES as SSE_B2_AES,
        SSE_NONE as SSE_NONE,
        UNKNOWN_KEY_ID as UNKNOWN_KEY_ID,
        EncryptionKey as EncryptionKey,
        EncryptionSetting as EncryptionSetting,
        EncryptionSettingFactory as EncryptionSettingFactory,
    )
    from .encryption.types import (
        EncryptionAlgorithm as EncryptionAlgorithm,
        EncryptionMode as EncryptionMode,
    )
    from .exception import (
        EnvironmentEncodingError as EnvironmentEncodingError,
        IncompleteSync as IncompleteSync,
        InvalidArgument as InvalidArgument,
    )
    from .file_lock import (
        NO_RETENTION_BUCKET_SETTING as NO_RETENTION_BUCKET_SETTING,
        NO_RETENTION_FILE_SETTING as NO_RETENTION_FILE_SETTING,
        UNKNOWN_BUCKET_RETENTION as UNKNOWN_BUCKET_RETENTION,
        UNKNOWN_FILE_LOCK_CONFIGURATION as UNKNOWN_FILE_LOCK_CONFIGURATION,
        UNKNOWN_FILE_RETENTION_SETTING as UNKNOWN_FILE_RETENTION_SETTING,
        BucketRetentionSetting as BucketRetentionSetting,
        FileLockConfiguration as FileLockConfiguration,
        FileRetentionSetting as FileRetentionSetting,
        LegalHold as LegalHold,
        RetentionMode as RetentionMode,
        RetentionPeriod as RetentionPeriod,
    )
    from .file_version import (
        DownloadVersion as DownloadVersion,
        DownloadVersionFactory as DownloadVersionFactory,
        FileIdAndName as FileIdAndName,
        FileVersion as FileVersion,
        FileVersionFactory as FileVersionFactory,
    )
    from .filter import (
        Filter as Filter,
        FilterType as FilterType,
    )
    from .http_callback import (
        ClockSkewHook as ClockSkewHook,
        HttpCallback as HttpCallback,
    )
    from .http_constants import (
        BUCKET_NAME_CHARS as BUCKET_NAME_CHARS,
        BUCKET_NAME_CHARS_UNIQ as BUCKET_NAME_CHARS_UNIQ,
        BUCKET_NAME_LENGTH_RANGE as BUCKET_NAME_LENGTH_RANGE,
        DEFAULT_MAX_PART_SIZE as DEFAULT_MAX_PART_SIZE,
        DEFAULT_MIN_PART_SIZE as DEFAULT_MIN_PART_SIZE,
        DEFAULT_RECOMMENDED_UPLOAD_PART_SIZE as DEFAULT_RECOMMENDED_UPLOAD_PART_SIZE,
        LARGE_FILE_SHA1 as LARGE_FILE_SHA1,
        LIST_FILE_NAMES_MAX_LIMIT as LIST_FILE_NAMES_MAX_LIMIT,
        SRC_LAST_MODIFIED_MILLIS as SRC_LAST_MODIFIED_MILLIS,
        SSE_C_KEY_ID_FILE_INFO_KEY_NAME as SSE_C_KEY_ID_FILE_INFO_KEY_NAME,
    )
    from .included_sources import (
        get_included_sources as get_included_sources,
    )
    from .large_file.cleanup import (
        CleanupResult as CleanupResult,
        cleanup_unfinished as cleanup_unfinished,
    )
    from .large_file.part import (
        Part as Part,
    )
    from .large_file.services import (
        LargeFileServices as LargeFileServices,
    )
    from .large_file.unfinished_large_file import (
        UnfinishedLargeFile as UnfinishedLargeFile,
    )
    from .progress import (
        AbstractProgressListener as AbstractProgressListener,
        DoNothingProgressListener as DoNothingProgressListener,
        ProgressListenerForTest as ProgressListenerForTest,
        SimpleProgressListener as SimpleProgressListener,
        TqdmProgressListener as TqdmProgressListener,
        make_progress_listener as make_progress_listener,
    )
    from .rate_limits import (
        RateLimits as RateLimits,
    )
    from .raw_api import (
        ALL_CAPABILITIES as ALL_CAPABILITIES,
        REALM_URLS as REALM_URLS,
        AbstractRawApi as AbstractRawApi,
        B2RawHTTPApi as B2RawHTTPApi,
        MetadataDirectiveMode as MetadataDirectiveMode,
        notification_rule_response_to_request as notification_rule_response_to_request,
    )
    from .replication.monitoring import (
        ReplicationMonitor as ReplicationMonitor,
        ReplicationReport as ReplicationReport,
        ReplicationScanResult as ReplicationScanResult,
    )
    from .replication.setting import (
        ReplicationConfiguration as ReplicationConfiguration,
        ReplicationConfigurationFactory as ReplicationConfigurationFactory,
        ReplicationRule as ReplicationRule,
    )
    from .replication.setup import (
        ReplicationSetupHelper as ReplicationSetupHelper,
    )
    from .replication.types import (
        ReplicationStatus as ReplicationStatus,
    )
    from .retry import (
        RetryPolicies as RetryPolicies,
        RetryPolicy as RetryPolicy,
        Timeouts as Timeouts,
    )
    from .scan.folder import (
        AbstractFolder as AbstractFolder,
        B2Folder as B2Folder,
        LocalFolder as LocalFolder,
    )
    from .scan.folder_parser import (
        parse_folder as parse_folder,
    )
    from .scan.path import (
        AbstractPath as AbstractPath,
        B2Path as B2Path,
        LocalPath as LocalPath,
    )
    from .scan.policies import (
        DEFAULT_SCAN_MANAGER as DEFAULT_SCAN_MANAGER,
        IntegerRange as IntegerRange,
        RegexSet as RegexSet,
        ScanPoliciesManager as ScanPoliciesManager,
        convert_dir_regex_to_dir_prefix_regex as convert_dir_regex_to_dir_prefix_regex,
    )
    from .scan.report import (
        ProgressReport as ProgressReport,
    )
    from .scan.rules import (
        ScanExplanation as ScanExplanation,
        ScanRule as ScanRule,
    )
    from .scan.scan import (
        AbstractScanReport as AbstractScanReport,
        AbstractScanResult as AbstractScanResult,
        CountAndSampleScanReport as CountAndSampleScanReport,
        zip_folders as zip_folders,
    )
    from .services import (
        Services as Services,
    )
    from .session import (
        B2Session as B2Session,
    )
    from .simulator import (
        BucketSimulator as BucketSimulator,
        FaithfulSimulator as FaithfulSimulator,
        FakeResponse as FakeResponse,
        FileSimulator as FileSimulator,
        KeySimulator as KeySimulator,
        PartSimulator as PartSimulator,
        RawSimulator as RawSimulator,
        SimulatorServer as SimulatorServer,
    )
    from .stats import (
        ClientStats as ClientStats,
    )
    from .stream.chained import (
        StreamOpener as StreamOpener,
    )
    from .stream.hashing import (
        StreamWithHash as StreamWithHash,
    )
    from .stream.progress import (
        AbstractStreamWithProgress as AbstractStreamWithProgress,
        ReadingStreamWithProgress as ReadingStreamWithProgress,
        WritingStreamWithProgress as WritingStreamWithProgress,
    )
    from .stream.range import (
        RangeOfInputStream as RangeOfInputStream,
    )
    from .sync.action import (
        AbstractAction as AbstractAction,
        B2CopyAction as B2CopyAction,
        B2DeleteAction as B2DeleteAction,
        B2DownloadAction as B2DownloadAction,
        B2HideAction as B2HideAction,
        B2UploadAction as B2UploadAction,
        LocalDeleteAction as LocalDeleteAction,
    )
    from .sync.digest_cache import DigestCache as DigestCache
    from .sync.encryption_provider import (
        SERVER_DEFAULT_SYNC_ENCRYPTION_SETTINGS_PROVIDER as SERVER_DEFAULT_SYNC_ENCRYPTION_SETTINGS_PROVIDER,  # noqa: E501
        AbstractSyncEncryptionSettingsProvider as AbstractSyncEncryptionSettingsProvider,
        BasicSyncEncryptionSettingsProvider as BasicSyncEncryptionSettingsProvider,
        ServerDefaultSyncEncryptionSettingsProvider as ServerDefaultSyncEncryptionSettingsProvider,
    )
    from .sync.events import (
        SyncEvents as SyncEvents,
    )
    from .sync.policy import (
        AbstractFileSyncPolicy as AbstractFileSyncPolicy,
        CompareVersionMode as CompareVersionMode,
        CopyAndDeletePolicy as CopyAndDeletePolicy,
        CopyAndKeepDaysPolicy as CopyAndKeepDaysPolicy,
        CopyPolicy as CopyPolicy,
        DownAndDeletePolicy as DownAndDeletePolicy,
        DownAndKeepDaysPolicy as DownAndKeepDaysPolicy,
        DownPolicy as DownPolicy,
        NewerFileSyncMode as NewerFileSyncMode,
        UpAndDeletePolicy as UpAndDeletePolicy,
        UpAndKeepDaysPolicy as UpAndKeepDaysPolicy,
        UpPolicy as UpPolicy,
        make_b2_keep_days_actions as make_b2_keep_days_actions,
    )
    from .sync.policy_manager import (
        POLICY_MANAGER as POLICY_MANAGER,
        SyncPolicyManager as SyncPolicyManager,
    )
    from .sync.report import (
        SyncFileReporter as SyncFileReporter,
        SyncReport as SyncReport,
    )
    from .sync.result import (
        SyncFailure as SyncFailure,
        SyncResult as SyncResult,
    )
    from .sync.sync import (
        KeepOrDeleteMode as KeepOrDeleteMode,
        Synchronizer as Synchronizer,
    )
    from .transfer.emerge.downloaded_stretch import (
        CachedBytesStreamOpener as CachedBytesStreamOpener,
    )
    from .transfer.emerge.write_intent import (
        WriteIntent as WriteIntent,
    )
    from .transfer.inbound.download_manager import (
        DownloadManager as DownloadManager,
    )
    from .transfer.inbound.downloaded_file import (
        DownloadedFile as DownloadedFile,
    )
    from .transfer.inbound.downloader.abstract import (
        AbstractDownloader as AbstractDownloader,
    )
    from .transfer.inbound.downloader.parallel import (
        ParallelDownloader as ParallelDownloader,
        PartToDownload as PartToDownload,
    )
    from .transfer.inbound.downloader.simple import (
        SimpleDownloader as SimpleDownloader,
    )
    from .transfer.inbound.downloader.writer_thread import (
        WriterThread as WriterThread,
    )
    from .transfer.inbound.left_downloads import (
        LeftDownload as LeftDownload,
        cleanup_downloads as cleanup_downloads,
    )
    from .transfer.inbound.mtime_updated_file import (
        MtimeUpdatedFile as MtimeUpdatedFile,
    )
    from .transfer.outbound.copy_source import (
        CopySource as CopySource,
    )
    from .transfer.outbound.large_file_upload_state import (
        LargeFileUploadState as LargeFileUploadState,
    )
    from .transfer.outbound.outbound_source import (
        OutboundTransferSource as OutboundTransferSource,
    )
    from .transfer.outbound.progress_reporter import (
        PartProgressReporter as PartProgressReporter,
    )
    from .transfer.outbound.upload_manager import (
        UploadManager as UploadManager,
    )
    from .transfer.outbound.upload_source import (
        AbstractUploadSource as AbstractUploadSource,
        UploadMode as UploadMode,
        UploadSourceBytes as UploadSourceBytes,
        UploadSourceLocalFile as UploadSourceLocalFile,
        UploadSourceLocalFileRange as UploadSourceLocalFileRange,
        UploadSourceStream as UploadSourceStream,
        UploadSourceStreamRange as UploadSourceStreamRange,
    )
    from .types import (
        EVENT_TYPE as EVENT_TYPE,
        JSON as JSON,
        LifecycleRule as LifecycleRule,
        NotificationRule as NotificationRule,
        NotificationRuleResponse as NotificationRuleResponse,
    )
    from .utils.clock import (
        current_time_millis as current_time_millis,
    )
    from .utils.docs import (
        get_b2sdk_doc_urls as get_b2sdk_doc_urls,
    )
    from .utils.filesystem import (
        fix_windows_path_limit as fix_windows_path_limit,
        validate_b2_file_name_as_path as validate_b2_file_name_as_path,
    )
    from .utils.hashing import (
        hex_sha1_of_bytes as hex_sha1_of_bytes,
        hex_sha1_of_file as hex_sha1_of_file,
        hex_sha1_of_stream as hex_sha1_of_stream,
    )
    from .utils.log_filter import (
        UrllibWarningFilter as UrllibWarningFilter,
    )
    from .utils.numbers import (
        format_and_scale_fraction as format_and_scale_fraction,
        format_and_scale_number as format_and_scale_number,
    )
    from .utils.parts import (
        choose_part_ranges as choose_part_ranges,
    )
    from .utils.range_ import (
        EMPTY_RANGE as EMPTY_RANGE,
        Range as Range,
    )
    from .utils.special_files import (
        STDOUT_FILEPATH as STDOUT_FILEPATH,
        points_to_fifo as points_to_fifo,
        points_to_stdout as points_to_stdout,
    )
    from .utils.stream_hashing import (
        IncrementalHexDigester as IncrementalHexDigester,
    )
    from .utils.text import (
        escape_control_chars as escape_control_chars,
        substitute_control_chars as substitute_control_chars,
        unprintable_to_hex as unprintable_to_hex,
    )
    from .utils.thread_pool import (
        ThreadPoolMixin as ThreadPoolMixin,
    )
    from .utils.trace import (
        trace_call as trace_call,
    )
    from .utils.url import (
        b2_url_decode as b2_url_decode,
        b2_url_encode as b2_url_encode,
    )
    from .version import (
        USER_AGENT as USER_AGENT,
        VERSION as VERSION,
    )
    from .version_utils import (
        FeaturePreviewWarning as FeaturePreviewWarning,
        rename_argument as rename_argument,
        rename_function as rename_function,
    )

_NAMES: dict[str, tuple[str, ...]] = {
    'account_info': (
        'AbstractAccountInfo',
        'InMemoryAccountInfo',
        'StubAccountInfo',
        'UploadUrlPool',
        'UrlPoolAccountInfo',
    ),
    'account_info.location': (
        'B2_ACCOUNT_INFO_DEFAULT_FILE',
        'B2_ACCOUNT_INFO_ENV_VAR',
        'B2_ACCOUNT_INFO_PROFILE_FILE',
        'XDG_CONFIG_HOME_ENV_VAR',
    ),
    'account_info.sqlite': ('SqliteAccountInfo',),
    'api': ('B2Api',),
    'api_config': (
        'B2HttpApiConfig',
        'DEFAULT_HTTP_API_CONFIG',
    ),
    'application_key': (
        'ApplicationKey',
        'BaseApplicationKey',
        'FullApplicationKey',
    ),
    'b2http': (
        'B2Http',
        'ResponseContextManager',
    ),
    'bounded_queue_executor': ('BoundedQueueExecutor',),
    'bucket': ('Bucket',),
    'bucket_factory': ('BucketFactory',),
    'bulk.items': (
        'BulkResult',
        'CopyItem',
        'DownloadItem',
        'UploadItem',
    ),
    'cache': (
        'AbstractCache',
        'AuthInfoCache',
        'DummyCache',
        'InMemoryCache',
    ),
    'cancel': (
        'CancelToken',
        'cancel_scope',
    ),
    'encryption.setting': (
        'EncryptionKey',
        'EncryptionSetting',
        'EncryptionSettingFactory',
        'SSE_B2_AES',
        'SSE_NONE',
        'UNKNOWN_KEY_ID',
    ),
    'encryption.types': (
        'EncryptionAlgorithm',
        'EncryptionMode',
    ),
    'exception': (
        'EnvironmentEncodingError',
        'IncompleteSync',
        'InvalidArgument',
    ),
    'file_lock': (
        'BucketRetentionSetting',
        'FileLockConfiguration',
        'FileRetentionSetting',
        'LegalHold',
        'NO_RETENTION_BUCKET_SETTING',
        'NO_RETENTION_FILE_SETTING',
        'RetentionMode',
        'RetentionPeriod',
        'UNKNOWN_BUCKET_RETENTION',
        'UNKNOWN_FILE_LOCK_CONFIGURATION',
        'UNKNOWN_FILE_RETENTION_SETTING',
    ),
    'file_version': (
        'DownloadVersion',
        'DownloadVersionFactory',
        'FileIdAndName',
        'FileVersion',
        'FileVersionFactory',
    ),
    'filter': (
        'Filter',
        'FilterType',
    ),
    'http_callback': (
        'ClockSkewHook',
        'HttpCallback',
    ),
    'http_constants': (
        'BUCKET_NAME_CHARS',
        'BUCKET_NAME_CHARS_UNIQ',
        'BUCKET_NAME_LENGTH_RANGE',
        'DEFAULT_MAX_PART_SIZE',
        'DEFAULT_MIN_PART_SIZE',
        'DEFAULT_RECOMMENDED_UPLOAD_PART_SIZE',
        'LARGE_FILE_SHA1',
        'LIST_FILE_NAMES_MAX_LIMIT',
        'SRC_LAST_MODIFIED_MILLIS',
        'SSE_C_KEY_ID_FILE_INFO_KEY_NAME',
    ),
    'included_sources': ('get_included_sources',),
    'large_file.cleanup': (
        'CleanupResult',
        'cleanup_unfinished',
    ),
    'large_file.part': ('Part',),
    'large_file.services': ('LargeFileServices',),
    'large_file.unfinished_large_file': ('UnfinishedLargeFile',),
    'progress': (
        'AbstractProgressListener',
        'DoNothingProgressListener',
        'ProgressListenerForTest',
        'SimpleProgressListener',
        'TqdmProgressListener',
        'make_progress_listener',
    ),
    'rate_limits': ('RateLimits',),
    'raw_api': (
        'ALL_CAPABILITIES',
        'AbstractRawApi',
        'B2RawHTTPApi',
        'MetadataDirectiveMode',
        'REALM_URLS',
        'notification_rule_response_to_request',
    ),
    'replication.monitoring': (
        'ReplicationMonitor',
        'ReplicationReport',
        'ReplicationScanResult',
    ),
    'replication.setting': (
        'ReplicationConfiguration',
        'ReplicationConfigurationFactory',
        'ReplicationRule',
    ),
    'replication.setup': ('ReplicationSetupHelper',),
    'replication.types': ('ReplicationStatus',),
    'retry': (
        'RetryPolicies',
        'RetryPolicy',
        'Timeouts',
    ),
    'scan.folder': (
        'AbstractFolder',
        'B2Folder',
        'LocalFolder',
    ),
    'scan.folder_parser': ('parse_folder',),
    'scan.path': (
        'AbstractPath',
        'B2Path',
        'LocalPath',
    ),
    'scan.policies': (
        'DEFAULT_SCAN_MANAGER',
        'IntegerRange',
        'RegexSet',
        'ScanPoliciesManager',
        'convert_dir_regex_to_dir_prefix_regex',
    ),
    'scan.report': ('ProgressReport',),
    'scan.rules': ('ScanExplanation', 'ScanRule'),
    'scan.scan': (
        'AbstractScanReport',
        'AbstractScanResult',
        'CountAndSampleScanReport',
        'zip_folders',
    ),
    'services': ('Services',),
    'session': ('B2Session',),
    'simulator': (
        'BucketSimulator',
        'FaithfulSimulator',
        'FakeResponse',
        'FileSimulator',
        'KeySimulator',
        'PartSimulator',
        'RawSimulator',
        'SimulatorServer',
    ),
    'stats': ('ClientStats',),
    'stream.chained': ('StreamOpener',),
    'stream.hashing': ('StreamWithHash',),
    'stream.progress': (
        'AbstractStreamWithProgress',
        'ReadingStreamWithProgress',
        'WritingStreamWithProgress',
    ),
    'stream.range': ('RangeOfInputStream',),
    'sync.action': (
        'AbstractAction',
        'B2CopyAction',
        'B2DeleteAction',
        'B2DownloadAction',
        'B2HideAction',
        'B2UploadAction',
        'LocalDeleteAction',
    ),
    'sync.digest_cache': ('DigestCache',),
    'sync.encryption_provider': (
        'SERVER_DEFAULT_SYNC_ENCRYPTION_SETTINGS_PROVIDER',
        'AbstractSyncEncryptionSettingsProvider',
        'BasicSyncEncryptionSettingsProvider',
        'ServerDefaultSyncEncryptionSettingsProvider',
    ),
    'sync.events': ('SyncEvents',),
    'sync.policy': (
        'AbstractFileSyncPolicy',
        'CompareVersionMode',
        'CopyAndDeletePolicy',
        'CopyAndKeepDaysPolicy',
        'CopyPolicy',
        'DownAndDeletePolicy',
        'DownAndKeepDaysPolicy',
        'DownPolicy',
        'NewerFileSyncMode',
        'UpAndDeletePolicy',
        'UpAndKeepDaysPolicy',
        'UpPolicy',
        'make_b2_keep_days_actions',
    ),
    'sync.policy_manager': (
        'POLICY_MANAGER',
        'SyncPolicyManager',
    ),
    'sync.report': ('SyncFileReporter', 'SyncReport'),
    'sync.result': ('SyncFailure', 'SyncResult'),
    'sync.sync': (
        'KeepOrDeleteMode',
        'Synchronizer',
    ),
    'transfer.emerge.downloaded_stretch': ('CachedBytesStreamOpener',),
    'transfer.emerge.write_intent': ('WriteIntent',),
    'transfer.inbound.download_manager': ('DownloadManager',),
    'transfer.inbound.downloaded_file': ('DownloadedFile',),
    'transfer.inbound.downloader.abstract': ('AbstractDownloader',),
    'transfer.inbound.downloader.parallel': (
        'ParallelDownloader',
        'PartToDownload',
    ),
    'transfer.inbound.downloader.simple': ('SimpleDownloader',),
    'transfer.inbound.downloader.writer_thread': ('WriterThread',),
    'transfer.inbound.left_downloads': (
        'LeftDownload',
        'cleanup_downloads',
    ),
    'transfer.inbound.mtime_updated_file': ('MtimeUpdatedFile',),
    'transfer.outbound.copy_source': ('CopySource',),
    'transfer.outbound.large_file_upload_state': ('LargeFileUploadState',),
    'transfer.outbound.outbound_source': ('OutboundTransferSource',),
    'transfer.outbound.progress_reporter': ('PartProgressReporter',),
    'transfer.outbound.upload_manager': ('UploadManager',),
    'transfer.outbound.upload_source': (
        'AbstractUploadSource',
        'UploadMode',
        'UploadSourceBytes',
        'UploadSourceLocalFile',
        'UploadSourceLocalFileRange',
        'UploadSourceStream',
        'UploadSourceStreamRange',
    ),
    'types': (
        'EVENT_TYPE',
        'JSON',
        'LifecycleRule',
        'NotificationRule',
        'NotificationRuleResponse',
    ),
    'utils.clock': ('current_time_millis',),
    'utils.docs': ('get_b2sdk_doc_urls',),
    'utils.filesystem': (
        'fix_windows_path_limit',
        'validate_b2_file_name_as_path',
    ),
    'utils.hashing': (
        'hex_sha1_of_bytes',
        'hex_sha1_of_file',
        'hex_sha1_of_stream',
    ),
    'utils.log_filter': ('UrllibWarningFilter',),
    'utils.numbers': (
        'format_and_scale_fraction',
        'format_and_scale_number',
    ),
    'utils.parts': ('choose_part_ranges',),
    'utils.range_': (
        'EMPTY_RANGE',
        'Range',
    ),
    'utils.special_files': (
        'STDOUT_FILEPATH',
        'points_to_fifo',
        'points_to_stdout',
    ),
    'utils.stream_hashing': ('IncrementalHexDigester',),
    'utils.text': (
        'escape_control_chars',
        'substitute_control_chars',
        'unprintable_to_hex',
    ),
    'utils.thread_pool': ('ThreadPoolMixin',),
    'utils.trace': ('trace_call',),
    'utils.url': (
        'b2_url_decode',
        'b2_url_encode',
    ),
    'version': (
        'USER_AGENT',
        'VERSION',
    ),
    'version_utils': (
        'FeaturePreviewWarning',
        'rename_argument',
        'rename_function',
    ),
}
"""The public names of each module; the imports above say the same to type checkers."""

_MODULES = {name: module for module, names in _NAMES.items() for name in names}

__all__ = sorted(_MODULES)


class DebugBuildWarning(RuntimeWarning):
    """The Rust core was built for debugging and is many times slower than a release build."""


if _core.DEBUG_BUILD:
    warnings.warn('this is a debug build of b2fast: it is slow', DebugBuildWarning, stacklevel=2)


def __getattr__(name: str) -> Any:
    return load_name(globals(), _MODULES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
