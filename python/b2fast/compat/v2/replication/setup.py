"""Setting up replication with the classes of v2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....replication import setup as v3

if TYPE_CHECKING:
    from ....application_key import BaseApplicationKey
    from ....bucket import Bucket


class ReplicationSetupHelper(v3.ReplicationSetupHelper):
    """As in v3, with keys of v2."""

    def _key_for_bucket(
        self, bucket: Bucket, name: str, capabilities: list[str]
    ) -> BaseApplicationKey:
        return bucket.api.create_key(capabilities, name, bucket_id=bucket.id_)  # type: ignore[call-arg]
