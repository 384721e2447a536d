"""Pages in headless Chromium, for tests and benchmarks: a folder is served, a page opened, its document returned."""

from collections.abc import Iterator
import contextlib
import functools
from http import server
import re
import shutil
import subprocess
import tempfile
import threading

CHROMIUM = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)
LONGEST = 60  # seconds


class Handler(server.SimpleHTTPRequestHandler):
  """Files; and /held, which is answered once /done was asked for, so that a page with both is waited for."""

  def do_GET(self):
    done = self.server.done
    if self.path in ('/held', '/done'):
      done.set() if self.path == '/done' else done.wait()
      self.send_response(204)
      self.end_headers()
      return
    with contextlib.suppress(ConnectionError):  # of a browser that has seen enough
      super().do_GET()

  def log_message(self, format, *arguments):
    pass


@contextlib.contextmanager
def serving(folder) -> Iterator[str]:
  """Yields the address at which a folder is served until the block ends."""
  with server.ThreadingHTTPServer(('localhost', 0), functools.partial(Handler, directory=str(folder))) as http:
    http.done = threading.Event()
    threading.Thread(target=http.serve_forever, daemon=True).start()
    try:
      yield f'http://localhost:{http.server_port}'
    finally:
      http.shutdown()


def dump(address: str, profile: str = '', seconds: int = LONGEST) -> tuple[str, list[str]]:
  """Returns (the document once it is loaded, as HTML; what pages wrote to the console).

  `profile` is a folder in which the browser keeps what it stored for the next time.
  """
  with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as fresh:
    flags = ('--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--enable-logging=stderr', '--v=0')
    command = [CHROMIUM, *flags, f'--user-data-dir={profile or fresh}', '--dump-dom', address]
    done = subprocess.run(command, capture_output=True, timeout=seconds, check=True)
  return done.stdout.decode(), re.findall(r'CONSOLE[:(]\d+\)?\] "(.*)", source', done.stderr.decode(errors='replace'))
