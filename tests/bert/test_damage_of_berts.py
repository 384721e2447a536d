"""No flipped bit of a BERT's run, crop or export is read, and `verify` names it."""

import random
import shutil

import pytest

import medjax
from medjax import bert, errors
from medjax.bert import run as run_lib
from medjax.experiments import text
from medjax.saved import manifest, verification
from tests.bert import recorded
from tests.saved.test_manifest import silent

FLIPS = 4  # of a file


def never(folder):
  """Raises for what `verify` finds damaged."""
  if damaged := medjax.verify(folder).damaged:
    raise errors.ArtifactError(damaged[0])


def test_a_run_its_crops_and_its_exports_are_whole_and_no_flipped_bit_of_them_is_verified(small_run, tmp_path):
  run = shutil.copytree(small_run, tmp_path / 'run')
  text.crop(run, 16, tmp_path / 'crop')
  text.export(run, output=tmp_path / 'export', format='huggingface')
  found = medjax.verify(run).files
  made = ('text.json', 'learned.json', 'encoder/config.json', 'results.csv', 'metrics.jsonl', 'cost.json')
  assert set(made) <= found.keys() and set(found.values()) == {'ok'}
  assert any(name.startswith('checkpoints/') for name in found)
  for folder in (run, tmp_path / 'crop', tmp_path / 'export'):
    assert not medjax.verify(folder).damaged
    assert silent(folder, lambda folder=folder: never(folder), random.Random(0), 1) == []


def test_no_flipped_bit_of_a_crop_is_loaded(small_run, tmp_path):
  text.crop(small_run, 16, tmp_path / 'crop')
  assert silent(tmp_path / 'crop', lambda: bert.load_classifier(tmp_path / 'crop'), random.Random(1), FLIPS) == []
  bert.load(recorded.TINY).save(tmp_path / 'encoder')
  assert silent(tmp_path / 'encoder', lambda: bert.load(tmp_path / 'encoder', 16), random.Random(2), FLIPS) == []
  (tmp_path / 'crop' / 'tokenizer_config.json').unlink()
  with pytest.raises(errors.ArtifactError, match='tokenizer_config.json is missing'):
    bert.load_classifier(tmp_path / 'crop')


def test_no_flipped_bit_of_what_a_run_begins_with_is_read(small_run, tmp_path):
  run = shutil.copytree(small_run, tmp_path / 'run')
  config = run_lib.read_config(run)
  for path in run.iterdir():  # what is made again, and checkpoints, are checked by others
    if path.name not in (run_lib.LEARNED, 'text.json', manifest.FILE, run_lib.ENCODER):
      shutil.rmtree(path) if path.is_dir() else path.unlink()
  read = lambda: (run_lib.read_config(run), run_lib.read_learned(run), run_lib.read_encoder(run, config))
  assert silent(run, read, random.Random(3), FLIPS) == []


def test_a_folder_of_hugging_face_is_sealed_by_accepting_it(tmp_path):
  folder = shutil.copytree(recorded.TINY, tmp_path / 'folder')
  assert set(medjax.verify(folder).files.values()) == {'no manifest'}
  assert set(verification.verify(folder, accept=True).files.values()) == {'ok'}
  path = folder / 'config.json'
  path.write_text(path.read_text().replace('"gelu"', '"relu"'))
  with pytest.raises(errors.ArtifactError, match=r'config.json is damaged or was changed'):
    bert.load(folder)
