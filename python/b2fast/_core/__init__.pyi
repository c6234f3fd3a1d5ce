from . import hashing as hashing
from . import planning as planning
from . import server as server
from . import transfer as transfer

__version__: str
DEBUG_BUILD: bool
