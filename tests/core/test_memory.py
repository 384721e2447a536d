"""Memory that is left: of the system, of the control group, or as it is said."""

import pytest

from medjax.core import memory
from medjax.errors import TooLarge


@pytest.fixture
def groups(tmp_path, monkeypatch):
  """A function of {file: content} to what is left in a control group."""

  def left(**files):
    for name, content in files.items():
      (tmp_path / name.replace('__', '.')).write_text(content)
    monkeypatch.setattr(memory, '_folders', lambda: [tmp_path / 'gone', tmp_path])
    return memory.available()

  monkeypatch.delenv(memory.VARIABLE, raising=False)
  return left


def test_a_limit_of_the_group_counts_in_both_versions(groups):
  assert groups(memory__max='1000\n', memory__current='700\n', memory__stat='anon 600\ninactive_file 50\n') == 350
  assert groups(memory__max='100\n', memory__current='700\n') == 0
  assert groups(memory__max='max\n') > 2**20
  old = {'memory__limit_in_bytes': '5000', 'memory__usage_in_bytes': '1000', 'memory__stat': 'total_inactive_file 10\n'}
  assert groups(**old) == 4010


def test_what_is_said_counts(monkeypatch):
  monkeypatch.setenv(memory.VARIABLE, '16e9')
  assert memory.available() == 16_000_000_000
  for wrong in ('much', 'inf', 'nan'):
    monkeypatch.setenv(memory.VARIABLE, wrong)
    with pytest.raises(TooLarge, match=f'MEDJAX_MEMORY={wrong}: write a number of bytes'):
      memory.available()


def test_only_what_is_hopeless_is_refused(monkeypatch):
  monkeypatch.setenv(memory.VARIABLE, '1000')
  memory.check(1300, 'work', 'do less')
  with pytest.raises(TooLarge, match=r'work needs about 1\.4 KiB of memory, and 1\.0 KiB are left\. do less\.'):
    memory.check(1400, 'work', 'do less')
  memory.check(1400, 'work', 'do less', there=2000)
