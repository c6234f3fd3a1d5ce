"""Constants of the native API's calls."""

from __future__ import annotations

from enum import Enum, unique

API_VERSION = 'v4'

REALM_URLS = {
    'production': 'https://api.backblazeb2.com',
    'dev': 'http://api.backblazeb2.xyz:8180',
    'staging': 'https://api.backblaze.net',
}
"""Names of realms; any other realm is taken for a URL."""

ALL_CAPABILITIES = [
    'listKeys',
    'writeKeys',
    'deleteKeys',
    'listBuckets',
    'listAllBucketNames',
    'readBuckets',
    'writeBuckets',
    'deleteBuckets',
    'readBucketEncryption',
    'writeBucketEncryption',
    'readBucketRetentions',
    'writeBucketRetentions',
    'readFileRetentions',
    'writeFileRetentions',
    'readFileLegalHolds',
    'writeFileLegalHolds',
    'readBucketReplications',
    'writeBucketReplications',
    'bypassGovernance',
    'listFiles',
    'readFiles',
    'shareFiles',
    'writeFiles',
    'deleteFiles',
    'readBucketNotifications',
    'writeBucketNotifications',
]
"""What a key may be allowed to do; the service knows further ones and tells them."""


@unique
class MetadataDirectiveMode(Enum):
    """Where the metadata of a copy come from."""

    COPY = 401
    REPLACE = 402
