"""Which policy decides about the files of a sync."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .policy import (
    AbstractFileSyncPolicy,
    CopyAndDeletePolicy,
    CopyAndKeepDaysPolicy,
    CopyPolicy,
    DownAndDeletePolicy,
    DownAndKeepDaysPolicy,
    DownPolicy,
    UpAndDeletePolicy,
    UpAndKeepDaysPolicy,
    UpPolicy,
)

if TYPE_CHECKING:
    from ..scan.folder import AbstractFolder
    from ..scan.path import AbstractPath
    from ..transfer.outbound.upload_source import UploadMode
    from .encryption_provider import AbstractSyncEncryptionSettingsProvider
    from .policy import CompareVersionMode, NewerFileSyncMode

_Policy = type[AbstractFileSyncPolicy]

_POLICIES: dict[str, tuple[_Policy, _Policy, _Policy]] = {
    'local-to-b2': (UpPolicy, UpAndDeletePolicy, UpAndKeepDaysPolicy),
    'b2-to-local': (DownPolicy, DownAndDeletePolicy, DownAndKeepDaysPolicy),
    'b2-to-b2': (CopyPolicy, CopyAndDeletePolicy, CopyAndKeepDaysPolicy),
}
"""For each type of sync: the policy that keeps all, that deletes, and that keeps some days."""


class SyncPolicyManager:
    """Makes a policy for each file; a subclass may choose others.

    :ivar policies: for subclasses to keep policies in; it is not used here
    """

    def __init__(self) -> None:
        self.policies: dict[str, AbstractFileSyncPolicy] = {}

    def get_policy(
        self,
        sync_type: str,
        source_path: AbstractPath | None,
        source_folder: AbstractFolder,
        dest_path: AbstractPath | None,
        dest_folder: AbstractFolder,
        now_millis: int,
        delete: bool,
        keep_days: int | None,
        newer_file_mode: NewerFileSyncMode,
        compare_threshold: int,
        compare_version_mode: CompareVersionMode,
        encryption_settings_provider: AbstractSyncEncryptionSettingsProvider,
        upload_mode: UploadMode,
        absolute_minimum_part_size: int | None,
    ) -> AbstractFileSyncPolicy:
        """The policy for one file; see `AbstractFileSyncPolicy` and `get_policy_class`."""
        return self.get_policy_class(sync_type, delete, keep_days)(
            source_path,
            source_folder,
            dest_path,
            dest_folder,
            now_millis,
            keep_days,
            newer_file_mode,
            compare_threshold,
            compare_version_mode,
            encryption_settings_provider,
            upload_mode,
            absolute_minimum_part_size,
        )

    def get_policy_class(self, sync_type: str, delete: bool, keep_days: int | None) -> _Policy:
        """The class of the policies of a sync.

        :param sync_type: ``'local-to-b2'``, ``'b2-to-local'`` or ``'b2-to-b2'``
        :param delete: delete what the source does not have, and what is replaced
        :param keep_days: do so after some days; None or 0 to keep all. ``delete`` goes first
        :raises NotImplementedError: for another type of sync.
        """
        policies = _POLICIES.get(sync_type)
        if policies is None:
            raise NotImplementedError(
                f'invalid sync type: {sync_type}, keep_days: {keep_days}, delete: {delete}'
            )
        plain, deleting, keeping_days = policies
        if delete:
            return deleting
        return keeping_days if keep_days else plain


POLICY_MANAGER = SyncPolicyManager()
"""What a `Synchronizer` asks if it is told of no other."""
