"""B2 without the cloud: in the process (`RawSimulator`, `FaithfulSimulator`) and over HTTP
(`SimulatorServer`)."""

from __future__ import annotations

from .faithful_simulator import FaithfulSimulator
from .fault_files import FaultFileError, load_faults
from .faults import Fault, FaultScript, FaultState
from .options import Options
from .raw_bucket import BucketSimulator
from .raw_objects import FileSimulator, KeySimulator, PartSimulator
from .raw_response import FakeRaw, FakeRequest, FakeResponse, get_bytes_range
from .raw_simulator import RawSimulator
from .request_log import ServedRequest
from .server import SimulatorServer
from .tls import Certificate
from .webhooks import Delivery

__all__ = [
    'BucketSimulator',
    'Certificate',
    'Delivery',
    'FaithfulSimulator',
    'FakeRaw',
    'FakeRequest',
    'FakeResponse',
    'Fault',
    'FaultFileError',
    'FaultScript',
    'FaultState',
    'FileSimulator',
    'KeySimulator',
    'Options',
    'PartSimulator',
    'RawSimulator',
    'ServedRequest',
    'SimulatorServer',
    'get_bytes_range',
    'load_faults',
]
