"""The short form of what `benchmarks.soak` does for hours: seeded kills, full disks and flipped bits."""

import random
import shutil
import types

import pytest

from benchmarks import disturbances, forked, soak
from medjax.experiments import commands
from medjax.saved import checkpoint


@pytest.fixture(scope='module')
def program():
  with forked.Program() as started:
    yield started


def test_bits_and_disks_are_disturbed_and_mended(tmp_path, program):
  (tmp_path / 'a').mkdir()
  (tmp_path / 'a' / 'file').write_bytes(bytes(100))
  (tmp_path / 'a' / '.lock').write_bytes(b'lock')
  (tmp_path / 'empty').mkdir()
  before = disturbances.digest(tmp_path / 'a')
  path, content = disturbances.flip(tmp_path / 'a', random.Random(0))
  assert sum(byte.bit_count() for byte in path.read_bytes()) == 1 and disturbances.digest(tmp_path / 'a') != before
  path.write_bytes(content)
  assert disturbances.digest(tmp_path / 'a') == before
  assert disturbances.flip(tmp_path / 'empty', random.Random(0)) is None
  ended = program.run(['--version'], largest=soak.LARGEST)
  assert ended.code == 0 and ended.seconds > 0
  with pytest.raises(ValueError, match='an undisturbed run ended with 2: error: no mode'):
    soak.check_ended(program.run(['help', 'nothing']))


@pytest.mark.parametrize('mode, events', [('crop', ('kill', 'disk', 'damage')), ('prepare', ('kill', 'disk'))])
def test_what_disturbs_leaves_the_same_to_a_bit(trained, own_data, tmp_path, monkeypatch, program, mode, events):
  monkeypatch.setattr(soak, 'EVENTS', events)
  monkeypatch.setattr(soak, 'MOST', 3)
  small = tmp_path / 'small'
  commands.crop(trained, 8, small)
  scene = {
    'crop': soak.Scene('crop', soak.OF_MODELS['crop'], '--output', small),
    'prepare': soak.Scene('prepare', (f'--config.data.path={own_data}',), '--output', None),
  }[mode]
  disturbed = soak.Soak(program, tmp_path, False, 1)
  expected = disturbed.undisturbed(scene)
  found = [disturbed.episode(scene, expected, number) for number in range(2)]
  counts = [episode.counts for episode in found]
  assert sum(of.get('kills', 0) for of in counts) and sum(of.get('equal', 0) for of in counts) == 2, counts
  assert not [episode.odd for episode in found if episode.odd]


def test_a_soak_goes_on_from_what_it_noted(tmp_path):
  path, begun = tmp_path / 'soak.jsonl', {'seed': 0, 'modes': ['crop']}
  notes = soak.Notes(path, begun)
  notes.undisturbed['crop'] = soak.Undisturbed('a', 1.5)
  notes.save()
  notes.add(soak.Episode('crop', 0, {'kills': 2, 'equal': 1}, []))
  notes.add(soak.Episode('crop', 2, {'kills': 1, 'different': 1}, ['crop: other bits']))
  with path.open('a') as file:
    file.write('{"mode": "cr')  # a kill
  again = soak.Notes(path, begun)
  assert again.episodes == notes.episodes and again.undisturbed == notes.undisturbed and again.next('crop') == 1
  assert again.counts('crop') == {'kills': 3, 'equal': 1, 'different': 1, 'episodes': 2}
  again.save()
  assert len(path.read_text().splitlines()) == 3  # the half one is gone
  with pytest.raises(ValueError, match='name another --workdir'):
    soak.Notes(path, begun | {'seed': 1})


def test_damage_that_no_attempt_has_read_is_told_by_loading(trained, tmp_path, monkeypatch):
  output = shutil.copytree(trained, tmp_path / 'output')
  there = checkpoint.Checkpoints(output / 'checkpoints', read_only=True)
  loaded = output / 'checkpoints' / str(there.best) / 'model' / '_sharding'
  there.close()
  monkeypatch.setattr(soak, 'flip', lambda folder, draw: flipped(loaded))
  idle = types.SimpleNamespace(run=lambda *given: types.SimpleNamespace(code=0, said='', seconds=1.0))
  undisturbed = soak.Undisturbed(disturbances.digest(output), 1.0)
  found = soak.Episode('train', 0, {}, [])
  scene = soak.Scene('train', (), '--workdir', None)
  assert soak.Soak(idle, tmp_path, False, 0).over(scene, undisturbed, found, 'damage', None, output, None)
  assert found.counts == {'damaged': 1, 'damage told': 1, 'equal': 1} and not found.odd


def flipped(path):
  content = path.read_bytes()
  path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
  return path, content
