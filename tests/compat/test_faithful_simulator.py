"""b2sdk itself as the client of the faithful simulator, without a network."""

from __future__ import annotations

from io import BytesIO

import b2sdk.v3
import pytest
from b2sdk.v3.exception import FileNotPresent

from b2fast import FaithfulSimulator
from b2fast.simulator import Fault


def test_b2sdk_transfers_through_a_session() -> None:
    simulator = FaithfulSimulator(minimum_part_size=100, recommended_part_size=100)
    config = b2sdk.v3.B2HttpApiConfig(simulator.session)
    api = b2sdk.v3.B2Api(b2sdk.v3.InMemoryAccountInfo(), api_config=config)
    api.authorize_account(simulator.key_id, simulator.key)
    bucket = api.create_bucket('a-bucket', 'allPrivate')
    data = bytes(range(256)) * 2
    simulator.inject(Fault(call='b2_upload_part', cut_upload_after=50))
    simulator.inject(Fault(call='b2_download_file_by_name', cut_after=100))
    bucket.upload_bytes(data, 'large', file_info={'b2-content-encoding': 'gzip'})
    target = BytesIO()
    bucket.download_file_by_name('large').save(target)
    assert target.getvalue() == data
    assert [version.file_name for version, _ in bucket.ls()] == ['large']
    with pytest.raises(FileNotPresent):
        bucket.download_file_by_name('small')
