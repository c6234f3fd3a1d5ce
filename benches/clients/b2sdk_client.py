"""The measured client that uses b2sdk."""

import b2sdk.v3 as sdk
from workload import main

if __name__ == '__main__':
    main(sdk)
