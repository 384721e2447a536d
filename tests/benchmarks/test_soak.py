"""The short form of what `benchmarks.soak` does for hours: seeded kills, full disks and flipped bits."""

import random

import pytest

from benchmarks import soak
from medjax.experiments import commands


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


def test_what_kills_full_disks_and_flipped_bits_leave_is_the_same_to_a_bit(trained, tmp_path, monkeypatch):
  monkeypatch.setattr(soak, 'EVENTS', ('kill', 'disk', 'damage'))
  small = tmp_path / 'small'
  commands.crop(trained, 8, small)
  scene = soak.Scene('crop', soak.OF_MODELS['crop'], '--output', small)
  (tmp_path / 'disk').mkdir()
  disturbed = soak.Soak(scene, tmp_path, tmp_path / 'disk', False, random.Random(1))
  disturbed.run(2)
  counts = disturbed.counts
  assert counts['kills'] == 2 and counts['equal'] >= 1, counts
  assert not counts['different'] and not counts['silent'] and not counts['faults'], disturbed.odd
