from . import hashing as hashing, planning as planning, server as server, transfer as transfer

__version__: str
DEBUG_BUILD: bool
