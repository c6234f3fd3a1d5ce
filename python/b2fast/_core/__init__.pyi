from . import (
    hashing as hashing,
    listing as listing,
    planning as planning,
    scanning as scanning,
    server as server,
    transfer as transfer,
)

__version__: str
DEBUG_BUILD: bool
