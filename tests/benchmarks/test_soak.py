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


@pytest.mark.parametrize('mode, events', [('crop', ('kill', 'disk', 'damage')), ('prepare', ('kill', 'disk'))])
def test_what_disturbs_leaves_the_same_to_a_bit(trained, own_data, tmp_path, monkeypatch, mode, events):
  monkeypatch.setattr(soak, 'EVENTS', events)
  small = tmp_path / 'small'
  commands.crop(trained, 8, small)
  scene = {
    'crop': soak.Scene('crop', soak.OF_MODELS['crop'], '--output', small),
    'prepare': soak.Scene('prepare', (f'--config.data.path={own_data}',), '--output', None),
  }[mode]
  (tmp_path / 'disk').mkdir()
  disturbed = soak.Soak(scene, tmp_path, tmp_path / 'disk', False, random.Random(1))
  disturbed.run(2)
  counts = disturbed.counts
  assert counts['kills'] == 2 and counts['equal'] >= 1, counts
  assert not counts['different'] and not counts['silent'] and not counts['faults'], disturbed.odd
