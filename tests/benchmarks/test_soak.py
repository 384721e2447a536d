"""The short form of what `benchmarks.soak` does for hours: seeded kills, full disks and flipped bits."""

import random

import pytest

from benchmarks import soak


def test_bits_and_disks_are_disturbed_and_mended(tmp_path):
  (tmp_path / 'a').mkdir()
  (tmp_path / 'a' / 'file').write_bytes(bytes(100))
  (tmp_path / 'a' / '.lock').write_bytes(b'lock')
  (tmp_path / 'empty').mkdir()
  before = soak.digest(tmp_path / 'a')
  path, content = soak.flip(tmp_path / 'a', random.Random(0))
  assert sum(byte.bit_count() for byte in path.read_bytes()) == 1 and soak.digest(tmp_path / 'a') != before
  path.write_bytes(content)
  assert soak.digest(tmp_path / 'a') == before
  assert soak.flip(tmp_path / 'empty', random.Random(0)) is None
  ended = soak.attempt(['--version'], largest=soak.LARGEST)
  assert ended.code == 0
  with pytest.raises(ValueError, match='an undisturbed run ended with 2: error: no mode'):
    soak.check_ended(soak.attempt(['help', 'nothing']))


def test_crops_and_prepared_graphs_survive_kills(capsys, own_cache):
  result = soak.main(['--kills=3', '--modes=crop,prepare', '--seed=3'])
  assert result['kills'] == 3 and result['equal'] >= 2
  assert result['different'] == result['faults'] == 0, capsys.readouterr().out
