"""Accounts, keys and buckets."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .caller import HttpCaller
from .parameters import bucket_default, given, json_or_none

if TYPE_CHECKING:
    from ..encryption.setting import EncryptionSetting
    from ..file_lock import BucketRetentionSetting
    from ..types import LifecycleRule, NotificationRule, NotificationRuleResponse


class BucketCalls(HttpCaller):
    """Calls about accounts, keys and buckets."""

    def authorize_account(
        self, realm_url: str, application_key_id: str, application_key: str
    ) -> dict[str, Any]:
        """``b2_authorize_account``: exchange a key for a token (valid for at most 24 hours)."""
        pair = f'{application_key_id}:{application_key}'.encode()
        auth = 'Basic ' + base64.b64encode(pair).decode('ascii')
        return self._post_json(realm_url, 'b2_authorize_account', auth)

    def create_key(
        self,
        api_url: str,
        account_auth_token: str,
        account_id: str,
        capabilities: Sequence[str],
        key_name: str,
        valid_duration_seconds: int | None,
        bucket_ids: Sequence[str] | None,
        name_prefix: str | None,
    ) -> dict[str, Any]:
        """``b2_create_key``; the answer is the only place where the key itself is told."""
        return self._post_json(
            api_url,
            'b2_create_key',
            account_auth_token,
            accountId=account_id,
            capabilities=capabilities,
            keyName=key_name,
            validDurationInSeconds=valid_duration_seconds,
            bucketIds=bucket_ids,
            namePrefix=name_prefix,
        )

    def list_keys(
        self,
        api_url: str,
        account_auth_token: str,
        account_id: str,
        max_key_count: int | None = None,
        start_application_key_id: str | None = None,
    ) -> dict[str, Any]:
        """``b2_list_keys``: one page."""
        return self._post_json(
            api_url,
            'b2_list_keys',
            account_auth_token,
            accountId=account_id,
            maxKeyCount=max_key_count,
            startApplicationKeyId=start_application_key_id,
        )

    def delete_key(
        self, api_url: str, account_auth_token: str, application_key_id: str
    ) -> dict[str, Any]:
        """``b2_delete_key``."""
        return self._post_json(
            api_url, 'b2_delete_key', account_auth_token, applicationKeyId=application_key_id
        )

    def create_bucket(
        self,
        api_url: str,
        account_auth_token: str,
        account_id: str,
        bucket_name: str,
        bucket_type: str,
        bucket_info: Mapping[str, str] | None = None,
        cors_rules: Sequence[Mapping[str, Any]] | None = None,
        lifecycle_rules: list[LifecycleRule] | None = None,
        default_server_side_encryption: EncryptionSetting | None = None,
        is_file_lock_enabled: bool | None = None,
        replication: Any | None = None,
    ) -> dict[str, Any]:
        """``b2_create_bucket``.

        :raises WrongEncryptionModeForBucketDefault: if the encryption cannot be a default.
        """
        params = given(
            bucketInfo=bucket_info,
            corsRules=cors_rules,
            lifecycleRules=lifecycle_rules,
            defaultServerSideEncryption=bucket_default(default_server_side_encryption),
            fileLockEnabled=is_file_lock_enabled,
            replicationConfiguration=json_or_none(replication),
        )
        return self._post_json(
            api_url,
            'b2_create_bucket',
            account_auth_token,
            accountId=account_id,
            bucketName=bucket_name,
            bucketType=bucket_type,
            **params,
        )

    def list_buckets(
        self,
        api_url: str,
        account_auth_token: str,
        account_id: str,
        bucket_id: str | None = None,
        bucket_name: str | None = None,
    ) -> dict[str, Any]:
        """``b2_list_buckets``, all of them or the one of that ID or name."""
        return self._post_json(
            api_url,
            'b2_list_buckets',
            account_auth_token,
            accountId=account_id,
            bucketTypes=['all'],
            bucketId=bucket_id,
            bucketName=bucket_name,
        )

    def update_bucket(
        self,
        api_url: str,
        account_auth_token: str,
        account_id: str,
        bucket_id: str,
        bucket_type: str | None = None,
        bucket_info: Mapping[str, str] | None = None,
        cors_rules: Sequence[Mapping[str, Any]] | None = None,
        lifecycle_rules: list[LifecycleRule] | None = None,
        if_revision_is: int | None = None,
        default_server_side_encryption: EncryptionSetting | None = None,
        default_retention: BucketRetentionSetting | None = None,
        replication: Any | None = None,
        is_file_lock_enabled: bool | None = None,
    ) -> dict[str, Any]:
        """``b2_update_bucket``: None leaves a setting as it is.

        :raises ValueError: if nothing is given to update.
        :raises WrongEncryptionModeForBucketDefault: if the encryption cannot be a default.
        """
        params = given(
            ifRevisionIs=if_revision_is,
            bucketInfo=bucket_info,
            bucketType=bucket_type,
            corsRules=cors_rules,
            lifecycleRules=lifecycle_rules,
            defaultServerSideEncryption=bucket_default(default_server_side_encryption),
            defaultRetention=json_or_none(default_retention),
            replicationConfiguration=json_or_none(replication),
            fileLockEnabled=is_file_lock_enabled,
        )
        if not params:
            raise ValueError('update_bucket needs at least one setting to update')
        return self._post_json(
            api_url,
            'b2_update_bucket',
            account_auth_token,
            accountId=account_id,
            bucketId=bucket_id,
            **params,
        )

    def delete_bucket(
        self, api_url: str, account_auth_token: str, account_id: str, bucket_id: str
    ) -> dict[str, Any]:
        """``b2_delete_bucket``: only an empty bucket can be deleted."""
        return self._post_json(
            api_url,
            'b2_delete_bucket',
            account_auth_token,
            accountId=account_id,
            bucketId=bucket_id,
        )

    def set_bucket_notification_rules(
        self,
        api_url: str,
        account_auth_token: str,
        bucket_id: str,
        rules: Iterable[NotificationRule],
    ) -> list[NotificationRuleResponse]:
        """``b2_set_bucket_notification_rules``: replaces all rules."""
        answer = self._post_json(
            api_url,
            'b2_set_bucket_notification_rules',
            account_auth_token,
            bucketId=bucket_id,
            eventNotificationRules=list(rules),
        )
        result: list[NotificationRuleResponse] = answer['eventNotificationRules']
        return result

    def get_bucket_notification_rules(
        self, api_url: str, account_auth_token: str, bucket_id: str
    ) -> list[NotificationRuleResponse]:
        """``b2_get_bucket_notification_rules``; the one call that B2 wants by GET."""
        answer: Any = self.b2_http.request_content_return_json(
            'GET',
            f'{api_url}/b2api/{self.API_VERSION}/b2_get_bucket_notification_rules',
            {'Authorization': account_auth_token},
            params={'bucketId': bucket_id},
        )
        result: list[NotificationRuleResponse] = answer['eventNotificationRules']
        return result
