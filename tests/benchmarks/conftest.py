"""How a command of benchmarks is run, and a peer that answers at once."""

import json
import sys

import pytest

from tests.benchmarks.figures import TINY

FAKE_PEER = f"""#!{sys.executable}
import json, sys
print(json.dumps({{"pykeen": "0", "torch": "0", "threads": 1, "model": "Fake", "tunables": ""}}), flush=True)
for line in sys.stdin:
  print(json.dumps({{"seconds": 0.5, "seconds_of_one": 0.1}}), flush=True)
"""


@pytest.fixture
def run(capsys):
  """A function that runs a command and returns its last line, parsed."""

  def command(module, *options):
    module.main([*TINY, *options])
    return json.loads(capsys.readouterr().out.splitlines()[-1])

  return command


@pytest.fixture
def fake_peer(tmp_path):
  script = tmp_path / 'peer-python'
  script.write_text(FAKE_PEER)
  script.chmod(0o755)
  return f'--peer-python={script}'
