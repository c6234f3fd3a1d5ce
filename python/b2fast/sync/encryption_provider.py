"""Which encryption each file of a sync is read and written with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..bucket import Bucket
    from ..encryption.setting import EncryptionSetting
    from ..file_version import FileVersion


class AbstractSyncEncryptionSettingsProvider(ABC):
    """Is asked for the encryption of each file, from any number of threads."""

    @abstractmethod
    def get_setting_for_upload(
        self,
        bucket: Bucket,
        b2_file_name: str,
        file_info: dict[str, str] | None,
        length: int,
    ) -> EncryptionSetting | None:
        """The encryption of a file that is uploaded; None for the default of the bucket.

        :param length: bytes of the local file, as it was found
        """

    @abstractmethod
    def get_source_setting_for_copy(
        self,
        bucket: Bucket,
        source_file_version: FileVersion,
    ) -> EncryptionSetting | None:
        """The encryption of a version that is copied, which B2 has to know if it is SSE-C.

        :param bucket: the one that has the version
        """

    @abstractmethod
    def get_destination_setting_for_copy(
        self,
        bucket: Bucket,
        dest_b2_file_name: str,
        source_file_version: FileVersion,
        target_file_info: dict[str, str] | None = None,
    ) -> EncryptionSetting | None:
        """The encryption of a copy; None for the default of the bucket.

        :param bucket: the one that gets the copy
        """

    @abstractmethod
    def get_setting_for_download(
        self,
        bucket: Bucket,
        file_version: FileVersion,
    ) -> EncryptionSetting | None:
        """The encryption of a version that is downloaded, which B2 has to know if it is SSE-C."""


class ServerDefaultSyncEncryptionSettingsProvider(AbstractSyncEncryptionSettingsProvider):
    """Writes with the default of the bucket, and reads what is not encrypted by SSE-C."""

    def get_setting_for_upload(self, *args: Any, **kwargs: Any) -> None:
        """None."""

    def get_source_setting_for_copy(self, *args: Any, **kwargs: Any) -> None:
        """None."""

    def get_destination_setting_for_copy(self, *args: Any, **kwargs: Any) -> None:
        """None."""

    def get_setting_for_download(self, *args: Any, **kwargs: Any) -> None:
        """None."""


SERVER_DEFAULT_SYNC_ENCRYPTION_SETTINGS_PROVIDER = ServerDefaultSyncEncryptionSettingsProvider()
"""What a sync asks if it is told of no other."""


class BasicSyncEncryptionSettingsProvider(AbstractSyncEncryptionSettingsProvider):
    """One encryption for all that is read from a bucket, and one for all that is written to it.

    :param read_bucket_settings: by the name of the bucket; a bucket that is missing has None
    :param write_bucket_settings: likewise
    """

    def __init__(
        self,
        read_bucket_settings: dict[str, EncryptionSetting | None],
        write_bucket_settings: dict[str, EncryptionSetting | None],
    ) -> None:
        self.read_bucket_settings = read_bucket_settings
        self.write_bucket_settings = write_bucket_settings

    def __repr__(self) -> str:
        return (
            f'<{type(self).__name__}: reads {self.read_bucket_settings}, '
            f'writes {self.write_bucket_settings}>'
        )

    def get_setting_for_upload(
        self, bucket: Bucket, *args: Any, **kwargs: Any
    ) -> EncryptionSetting | None:
        """The setting that the bucket is written with."""
        return self.write_bucket_settings.get(bucket.name)

    def get_source_setting_for_copy(
        self, bucket: Bucket, *args: Any, **kwargs: Any
    ) -> EncryptionSetting | None:
        """The setting that the bucket is read with."""
        return self.read_bucket_settings.get(bucket.name)

    def get_destination_setting_for_copy(
        self, bucket: Bucket, *args: Any, **kwargs: Any
    ) -> EncryptionSetting | None:
        """The setting that the bucket is written with."""
        return self.write_bucket_settings.get(bucket.name)

    def get_setting_for_download(
        self, bucket: Bucket, *args: Any, **kwargs: Any
    ) -> EncryptionSetting | None:
        """The setting that the bucket is read with."""
        return self.read_bucket_settings.get(bucket.name)
