"""One of two processes that are joined and then wait: the first argument says which, the second who is killed."""

import os
import signal
import sys
import time

from medjax.training import processes

if __name__ == '__main__':
  processes.initialize()
  print('joined', flush=True)
  sys.stdin.readline()
  if sys.argv[1] == sys.argv[2]:
    os.kill(os.getpid(), signal.SIGKILL)
  time.sleep(300)
