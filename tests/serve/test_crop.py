"""Crops, on disk and in memory: what they compute, keep, read and refuse."""

import pathlib
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import medjax
from medjax import errors
from medjax.core import axes as axes_lib
from medjax.experiments import commands, evaluating, runs
from medjax.saved import checkpoint, graph_files
from medjax.training import state as state_lib


@pytest.fixture(scope='module')
def rotate(trained):
  return medjax.load(trained)


@pytest.mark.parametrize('run', ['trained', 'trained_complex'])
@pytest.mark.parametrize('width', [4, 8, 12])
def test_a_crop_evaluates_exactly_as_in_the_run(run, width, request, tmp_path):
  workdir = request.getfixturevalue(run)
  commands.crop(workdir, width, tmp_path / 'crop', with_triples=True)
  evaluating.evaluate(tmp_path / 'crop')
  header, *rows = (workdir / 'results.csv').read_text().splitlines()
  expected = [header, *(row for row in rows if int(row.split(',')[0]) <= width)]
  assert (tmp_path / 'crop' / 'results.csv').read_text().splitlines() == expected


def test_a_crop_keeps_how_its_run_was_evaluated(tiny_config, tmp_path):
  runs.train(
    tiny_config(
      {'model.score': 'pairre', 'train.steps': 5, 'eval.every': 0, 'eval.unseen': 'skip', 'eval.extra_widths': '6,10'}
    ),
    tmp_path / 'run',
  )
  commands.crop(tmp_path / 'run', 8, tmp_path / 'crop', with_triples=True)
  of_crop = evaluating.evaluate(tmp_path / 'crop')
  of_run = pd.read_csv(tmp_path / 'run' / 'results.csv')
  assert of_run['width'].tolist() == [4, 6, 8, 10, 12] and of_crop['width'].tolist() == [4, 6, 8]
  pd.testing.assert_frame_equal(of_crop, of_run[:3], check_exact=False, rtol=1e-12)
  detail = pd.read_csv(tmp_path / 'crop' / 'results-detail.csv')
  assert detail.groupby('width')['trained'].all().to_dict() == {4: True, 6: False, 8: True}


def test_evaluating_one_width_leaves_the_results_of_all(trained, tmp_path):
  before = (trained / 'results.csv').read_bytes()
  assert evaluating.evaluate(trained, width=4)['width'].tolist() == [4]
  assert (trained / 'results.csv').read_bytes() == before and (trained / 'results-width-4.csv').exists()


def test_licence_travels_with_a_crop(tiny_config, tmp_path):
  runs.train(tiny_config({'data.path': '', 'data.name': 'world', 'train.steps': 1, 'eval.every': 0}), tmp_path / 'run')
  commands.crop(tmp_path / 'run', 4, tmp_path / 'crop', with_triples=True)
  assert 'CC BY 4.0' in (tmp_path / 'crop' / 'notes.txt').read_text()


def test_a_crop_of_a_crop_is_the_direct_crop(trained, tmp_path):
  commands.crop(trained, 8, tmp_path / 'eight', with_triples=True)
  commands.crop(tmp_path / 'eight', 4, tmp_path / 'twice', with_triples=True)
  commands.crop(trained, 4, tmp_path / 'once', with_triples=True)
  names = {path.name for path in (tmp_path / 'once').iterdir()}
  tables = {'model.json', 'model.safetensors', 'entities.tsv', 'relations.tsv', 'triples.npz', 'notes.txt'}
  assert names == {*tables, 'manifest.json'}
  for name in names - {'triples.npz'}:
    assert (tmp_path / 'once' / name).read_bytes() == (tmp_path / 'twice' / name).read_bytes(), name


def test_loading_a_width_is_loading_its_crop(trained, tmp_path):
  commands.crop(trained, 8, tmp_path / 'crop', with_triples=True)
  of_run, of_crop = medjax.load(trained, 8), medjax.load(tmp_path / 'crop')
  assert of_run.description == of_crop.description
  for table in ('entity', 'relation'):
    assert of_run.params[table].keys() == of_crop.params[table].keys()
    assert all(np.array_equal(of_run.params[table][name], of_crop.params[table][name]) for name in of_run.params[table])


def test_a_crop_in_memory_is_the_crop_on_disk(rotate, trained):
  np.testing.assert_array_equal(rotate.crop(4).params['entity']['im'], medjax.load(trained, 4).params['entity']['im'])


@pytest.mark.parametrize('name', ['width', 'truncate_dim', 'dimensions'])
def test_the_width_has_the_names_that_people_know(trained, name):
  model = medjax.load(trained, **{name: 8})
  assert model.width == 8 and model.params['entity']['re'].shape == (30, 4)


def test_two_different_widths_are_refused(trained):
  assert medjax.load(trained, 8, dimensions=8).width == 8
  with pytest.raises(errors.WidthError, match=r'\[4, 8\]'):
    medjax.load(trained, 8, truncate_dim=4)


@pytest.mark.parametrize('width', [5, 0, -4, 16])
def test_an_untrained_width_is_refused_with_the_nearest(trained, tmp_path, width):
  commands.crop(trained, 12, tmp_path / 'crop', with_triples=True)
  for folder in (trained, tmp_path / 'crop'):
    with pytest.raises(errors.WidthError, match=f'width {width} was not trained; the nearest .* 4, 8, 12'):
      medjax.load(folder, width)


def test_a_crop_lies_in_one_piece(rotate):
  for leaves in rotate.crop(4).params.values():
    assert all(leaf.flags['C_CONTIGUOUS'] and leaf.base is None for leaf in leaves.values())


QUESTION = """
import sys
import medjax
model = medjax.load(sys.argv[1])
model.score('e00', 'next', 'e01'), model.predict_tails('e00', 'next'), model.neighbours('e00'), model.entity_vectors()
loaded = {'jax', 'flax', 'orbax', 'optax', 'matplotlib', 'scipy'} & set(sys.modules)
sys.exit(f'loaded {loaded}' if loaded else 0)
"""


def test_a_crop_is_asked_without_jax(trained, tmp_path, repository):
  commands.crop(trained, 4, tmp_path / 'crop', with_triples=True)
  done = subprocess.run(
    [sys.executable, '-c', QUESTION, tmp_path / 'crop'], cwd=repository, capture_output=True, text=True, check=False
  )
  assert done.returncode == 0, done.stderr


READ = """
import sys
from medjax.core import axes
from medjax.saved import checkpoint
import jax, numpy as np
like = {'model': {'entity': {'re': jax.ShapeDtypeStruct((4000, int(sys.argv[2])), np.float32)}}}
like['model']['entity'] |= {'im': like['model']['entity']['re']}
checkpoints = checkpoint.Checkpoints(sys.argv[1], read_only=True, axes=axes.columns())
count = lambda: int(open('/proc/self/io').read().split()[1])
before = count()
checkpoints.restore_params(like)
print(count() - before)
"""


@pytest.mark.skipif(not pathlib.Path('/proc/self/io').exists(), reason='needs /proc/self/io of Linux')
def test_a_crop_reads_only_its_share(tmp_path, repository):

  table = np.random.RandomState(0).normal(size=(4000, 320)).astype(np.float32)
  params = {'model': {'entity': {'re': jnp.asarray(table), 'im': jnp.asarray(-table)}}}
  checkpoint.Checkpoints(tmp_path, axes=axes_lib.columns()).save(
    state_lib.State(jnp.int32(1), params, (), jnp.bool_(True))
  )
  read = {}
  for width in (5, 320):
    done = subprocess.run(
      [sys.executable, '-c', READ, tmp_path, str(width)],
      cwd=repository,
      capture_output=True,
      text=True,
      check=True,
    )
    read[width] = int(done.stdout)
  assert read[320] > 0.8 * 2 * table.nbytes
  assert read[5] < 0.1 * read[320]


def test_artifacts_are_free_of_pickle(trained, tmp_path):
  """numpy refuses a pickled array, and so does the reader of graphs."""
  for name in ('entities.tsv', 'relations.tsv', 'notes.txt'):
    (tmp_path / name).write_bytes((trained / name).read_bytes())
  evil = np.array([{'a': 1}], object)
  np.savez(tmp_path / 'triples.npz', train=evil, valid=evil, test=evil)
  with pytest.raises(errors.ArtifactError, match='pickles: loading runs no code'):
    graph_files.read_graph(tmp_path)
