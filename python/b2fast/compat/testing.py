"""`b2sdk.v3.testing`, which `b2sdk.v2.testing` is, too: the fixtures give a `b2sdk.v3.B2Api`."""

from __future__ import annotations

import pytest

from ..account_info import AbstractAccountInfo
from ..api_config import DEFAULT_HTTP_API_CONFIG, B2HttpApiConfig
from ..testing import integration
from ..testing.integration import (
    BUCKET_CLEANUP_PERIOD_MILLIS as BUCKET_CLEANUP_PERIOD_MILLIS,
    BUCKET_CREATED_AT_MILLIS as BUCKET_CREATED_AT_MILLIS,
    BUCKET_NAME_LENGTH as BUCKET_NAME_LENGTH,
    GENERAL_BUCKET_NAME_PREFIX as GENERAL_BUCKET_NAME_PREFIX,
    NODE_DESCRIPTION as NODE_DESCRIPTION,
    ONE_HOUR_MILLIS as ONE_HOUR_MILLIS,
    RNG as RNG,
    RNG_COUNTER as RNG_COUNTER,
    RNG_SEED as RNG_SEED,
    BucketManager as BucketManager,
    IntegrationTestBase as IntegrationTestBase,
    b2_api as b2_api,
    b2_auth_data as b2_auth_data,
    b2_subfolder as b2_subfolder,
    bucket as bucket,
    bucket_manager as bucket_manager,
    bucket_name_prefix as bucket_name_prefix,
    change_account_info_dir as change_account_info_dir,
    dont_cleanup_old_buckets as dont_cleanup_old_buckets,
    general_bucket_name_prefix as general_bucket_name_prefix,
    get_b2_auth_data as get_b2_auth_data,
    get_bucket_name_prefix as get_bucket_name_prefix,
    get_realm as get_realm,
    monkeysession as monkeysession,
    pytest_addoption as pytest_addoption,
    random_token as random_token,
    realm as realm,
    set_http_debug as set_http_debug,
)
from .v3 import B2Api

__all__ = integration.__all__


def authorize(
    b2_auth_data: tuple[str, str],
    realm: str,
    api_config: B2HttpApiConfig = DEFAULT_HTTP_API_CONFIG,
) -> tuple[B2Api, AbstractAccountInfo]:
    """As `b2fast.testing.integration.authorize`."""
    return integration.sign_in(B2Api, b2_auth_data, realm, api_config)


@pytest.fixture(scope='session')
def _b2_api(b2_auth_data: tuple[str, str], realm: str) -> B2Api:
    """The signed-in account, before there are buckets."""
    api, _ = authorize(b2_auth_data, realm)
    return api
