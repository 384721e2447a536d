"""Runs the command line `medjax` from a clone: `python launch.py --help` tells what it can do."""

import sys

from medjax.command import main

if __name__ == '__main__':
  sys.exit(main())
