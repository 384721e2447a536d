"""A page in headless Chromium, spoken to by its own protocol over a pipe; needs nothing but the browser."""

import base64
import contextlib
import json
import os
import subprocess
import sys
import tempfile

from tests.browser import CHROMIUM

FLAGS = (
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--remote-debugging-pipe',
  '--disable-dev-shm-usage',
  '--no-first-run',
)

START = """
import fcntl, os, sys
for file, place in zip([fcntl.fcntl(int(given), fcntl.F_DUPFD, 10) for given in sys.argv[1:3]], (3, 4)):
  os.dup2(file, place)
os.execv(sys.argv[3], sys.argv[3:])
"""  # the browser reads its file 3 and writes its file 4


class Page:
  """An open page: `evaluate` JavaScript in it, press keys, take pictures; `problems` are its console's errors."""

  def __init__(self, commands, answers):
    self._commands, self._answers, self._last, self._session = commands, answers, 0, None
    self.problems, self.requests, self._loaded = [], [], False

  def send(self, method, **parameters):
    """Returns what the browser answers to a command; events that come before it are noted."""
    self._last += 1
    message = {'id': self._last, 'method': method, 'params': parameters}
    if self._session:
      message['sessionId'] = self._session
    self._commands.write(json.dumps(message).encode() + b'\0')
    self._commands.flush()
    while (answer := self._read()).get('id') != self._last:
      self._note(answer)
    if 'error' in answer:
      raise RuntimeError(f'{method}: {answer["error"]["message"]}')
    return answer['result']

  def open(self, url, width=1280, height=900, dark=False):
    """Opens an address in a window of a size and waits until it is loaded."""
    target = self.send('Target.createTarget', url='about:blank')['targetId']
    self._session = self.send('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
    for domain in ('Page', 'Runtime', 'Log', 'Network'):
      self.send(f'{domain}.enable')
    self.send('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
    scheme = 'dark' if dark else 'light'
    self.send('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': scheme}])
    self._loaded = False
    self.send('Page.navigate', url=url)
    while not self._loaded:
      self._note(self._read())

  def evaluate(self, expression):
    """Returns the value of JavaScript; a promise is waited for."""
    result = self.send('Runtime.evaluate', expression=expression, awaitPromise=True, returnByValue=True)
    if 'exceptionDetails' in result:
      raise RuntimeError(result['exceptionDetails'].get('exception', {}).get('description', 'an exception'))
    return result['result'].get('value')

  def wait(self, condition):
    """Waits until JavaScript is true; raises RuntimeError after half a minute."""
    if not self.evaluate(
      f'new Promise(done => {{ const end = Date.now() + 30000; (function look() {{'
      f' if ({condition}) done(true); else if (Date.now() > end) done(false); else setTimeout(look, 20); }})() }})'
    ):
      raise RuntimeError(f'not within half a minute: {condition}')

  def press(self, key):
    """Presses a key, such as ArrowRight."""
    for kind in ('keyDown', 'keyUp'):
      codes = {'ArrowLeft': 37, 'ArrowRight': 39, 'Home': 36, 'End': 35}
      self.send('Input.dispatchKeyEvent', type=kind, key=key, code=key, windowsVirtualKeyCode=codes.get(key, 0))

  def picture(self, path, **more):
    """Writes a PNG of what is seen; `more` are further parameters of Page.captureScreenshot."""
    data = self.send('Page.captureScreenshot', format='png', **more)['data']
    with open(path, 'wb') as file:
      file.write(base64.b64decode(data))

  def _read(self):
    data = bytearray()
    while (byte := self._answers.read(1)) != b'\0':
      if not byte:
        raise RuntimeError('the browser has ended')
      data += byte
    return json.loads(data)

  def _note(self, event):
    what, said = event.get('method'), event.get('params', {})
    self._loaded |= what == 'Page.loadEventFired'
    if what == 'Network.requestWillBeSent':
      self.requests.append(said['request']['url'])
    if what == 'Runtime.exceptionThrown':
      self.problems.append(said['exceptionDetails'].get('exception', {}).get('description', 'an exception'))
    if what == 'Log.entryAdded' and said['entry']['level'] in ('error', 'warning'):
      self.problems.append(said['entry']['text'])
    if what == 'Runtime.consoleAPICalled' and said['type'] in ('error', 'warning'):
      self.problems.append(' '.join(str(one.get('value', one.get('description'))) for one in said['args']))


@contextlib.contextmanager
def page(url, **options):
  """Yields a `Page` of an address; the options are those of `Page.open`."""
  command_in, command_out = os.pipe()
  answer_in, answer_out = os.pipe()
  with tempfile.TemporaryDirectory() as profile:
    browser = subprocess.Popen(
      [sys.executable, '-c', START, str(command_in), str(answer_out), CHROMIUM, *FLAGS, f'--user-data-dir={profile}'],
      pass_fds=(command_in, answer_out),
      stdout=subprocess.DEVNULL,
      stderr=subprocess.DEVNULL,
    )
    os.close(command_in)
    os.close(answer_out)
    try:
      with os.fdopen(command_out, 'wb') as commands, os.fdopen(answer_in, 'rb') as answers:
        opened = Page(commands, answers)
        opened.open(url, **options)
        yield opened
    finally:
      browser.terminate()
      browser.wait()
