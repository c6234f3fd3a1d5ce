"""The measured client that uses b2fast."""

from workload import main

import b2fast as sdk

if __name__ == '__main__':
    main(sdk)
