"""Folders that somebody else made: what is a link, a device or a pipe in them is neither read nor written through."""

import dataclasses
import os
import shutil
import signal

import pytest

import medjax
from medjax import errors
from medjax.core import files
from medjax.experiments import commands, evaluating
from medjax.saved import checkpoint, workdir
from medjax.serve import ask

FILES = ('model.json', 'model.safetensors', 'entities.tsv', 'relations.tsv', 'notes.txt', 'triples.npz')
RED = '\x1b[31m\x1b]0;title\x07'


@pytest.fixture(scope='module')
def whole(trained, tmp_path_factory):
  folder = tmp_path_factory.mktemp('crops') / 'whole'
  commands.crop(trained, 8, folder, with_triples=True)
  return folder


@pytest.fixture
def small(whole, tmp_path):
  return shutil.copytree(whole, tmp_path / 'small')


@pytest.fixture
def in_time():
  """A pipe that is opened waits for ever: a signal ends that."""
  signal.alarm(30)
  yield
  signal.alarm(0)


@pytest.mark.parametrize('name', FILES)
def test_a_file_elsewhere_is_read_only_where_links_are_asked_for(small, tmp_path, monkeypatch, name):
  shutil.move(small / name, tmp_path / name)
  (small / name).symlink_to(tmp_path / name)
  with pytest.raises(errors.ArtifactError, match=f'{name}.* is a link that leaves its folder'):
    medjax.load(small)
  monkeypatch.setenv(files.FOLLOW, '1')
  assert medjax.load(small).width == 8


@pytest.mark.parametrize('name', FILES)
@pytest.mark.parametrize('kind', ['pipe', 'device'])
def test_pipes_and_devices_are_not_read(small, in_time, name, kind):
  (small / name).unlink()
  os.mkfifo(small / name) if kind == 'pipe' else (small / name).symlink_to('/dev/zero')
  with pytest.raises(errors.ArtifactError, match=f'{name}.* is a {kind}, not a file'):
    medjax.load(small)


def test_an_evaluation_overwrites_nothing_behind_links(small, tmp_path):
  victim = tmp_path / 'victim'
  victim.write_text('mine')
  names = ('results.csv', 'results-detail.csv', 'results.png', 'widths.csv', 'widths.png', 'results.csv.tmp')
  for name in names:
    (small / name).symlink_to(victim)
  evaluating.evaluate(small)
  assert victim.read_text() == 'mine'
  assert all((small / name).is_file() and not (small / name).is_symlink() for name in names[:-1])


def test_no_run_is_written_into_a_folder_behind_a_link(tmp_path):
  (tmp_path / 'elsewhere').mkdir()
  (tmp_path / 'run').mkdir()
  (tmp_path / 'run' / 'checkpoints').symlink_to(tmp_path / 'elsewhere')
  (tmp_path / 'run' / '.lock').symlink_to(tmp_path / 'elsewhere' / 'lock')
  with pytest.raises(errors.UsageError, match='checkpoints is a link'):
    checkpoint.Checkpoints(tmp_path / 'run' / 'checkpoints')
  with pytest.raises(errors.UsageError, match='lock is a link'), workdir.sole_trainer(tmp_path / 'run'):
    pass
  assert list((tmp_path / 'elsewhere').iterdir()) == []


def test_labels_do_nothing_to_a_terminal(whole, tmp_path, capsys):
  model = medjax.load(whole)
  labels = tuple(f'{RED}{label}' for label in model.graph.entity_labels)
  long = (*labels[:-1], 'x' * 100_000)
  dataclasses.replace(model, graph=dataclasses.replace(model.graph, entity_labels=long)).save(tmp_path / 'odd')
  ask.ask(tmp_path / 'odd', head=labels[0], relation='next', k=30)
  shown = capsys.readouterr().out
  assert '\\x1b[31m' in shown and max(map(len, shown.splitlines())) < 200
  for form in ('csv', 'json'):  # data, as they are: to a file or another program
    ask.ask(tmp_path / 'odd', head=labels[0], relation='next', k=30, form=form)
  assert not [c for c in shown if not c.isprintable() and c != '\n']
