"""Files of a workdir: exact round trips, and damage that is named."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from medjax import config as config_lib
from medjax import errors
from medjax.data.graph import Graph
from medjax.data.triples import split_file
from medjax.experiments import commands, runs
from medjax.kge import settings as settings_lib
from medjax.saved import artifact, graph_files
from medjax.saved import files as files_lib
from medjax.saved import workdir as workdir_lib
from medjax.serve import loading

ODD = (
  'tab\tinside',
  'new\nline',
  'carriage\rreturn',
  'both\r\n',
  'line\u2028separator',
  'no\u00a0break',
  'next\x85line',
  'form\x0cfeed',
  'back\\slash',
  r'\t',
  '\\',
  'é́ 日本 😀',
  ' spaces ',
  'quote"s',
  "it's",
  '#',
  '\ufeffmark',
)


@pytest.fixture
def cropped(trained, tmp_path):
  """A crop without a manifest, so that files are read that are not as they were written."""
  commands.crop(trained, 8, tmp_path / 'cropped', with_triples=True)
  (tmp_path / 'cropped' / 'manifest.json').unlink()
  return tmp_path / 'cropped'


def test_odd_labels_survive(tmp_path):
  triples = np.array([[0, 1, 2]], np.int32)
  labels = tuple(f'{name}*' for name in ODD)
  graph_files.write_graph(tmp_path, Graph('odd', ODD, ODD[::-1], triples, triples, triples, labels, labels[::-1]))
  graph = graph_files.read_graph(tmp_path)
  assert (graph.entities, graph.entity_labels) == (ODD, labels)
  assert (graph.relations, graph.relation_labels) == (ODD[::-1], labels[::-1])


def test_odd_identifiers_of_a_csv_survive(tmp_path):
  names = ['a\tb', 'c\u2028d', 'e\u00a0f', 'g, "h"', r'i\nj']
  rows = [(head, 'knows\tof', tail) for head in names for tail in names]
  quote = lambda text: '"' + text.replace('"', '""') + '"'
  (tmp_path / 'odd.csv').write_text('\n'.join(','.join(map(quote, row)) for row in rows))
  graph = split_file(tmp_path / 'odd.csv')
  graph_files.write_graph(tmp_path, graph)
  back = graph_files.read_graph(tmp_path)
  assert set(back.entities) == set(names) and back.relations == ('knows\tof',)
  for field in dataclasses.fields(Graph):
    if field.name not in ('name', 'notes', 'files'):  # what a file was like is told once, and not kept
      assert np.array_equal(getattr(back, field.name), getattr(graph, field.name))


def test_a_label_file_is_a_plain_table(tmp_path):
  triples = np.array([[0, 0, 1]], np.int32)
  graph_files.write_graph(
    tmp_path, Graph('g', ('Q1', 'Q2'), ('r',), triples, triples, triples, ('Paris', 'Rome'), ('is',))
  )
  assert (tmp_path / 'entities.tsv').read_bytes() == b'id\tlabel\nQ1\tParis\nQ2\tRome\n'


def test_a_configuration_comes_back(tmp_path):
  config = settings_lib.resolve(config_lib.Config(name='é'))
  workdir_lib.write_config(tmp_path, config)
  assert workdir_lib.read_config(tmp_path) == config


def test_a_description_comes_back(tmp_path):
  description = artifact.Description('transe', {'init_range': 0.1}, (4, 8), 2, (6.0, 6.0), (2.0, 1.0), 'world')
  artifact.write_description(tmp_path, description)
  assert artifact.read_description(tmp_path) == description


def cut(path):
  content = path.read_bytes()
  path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize('name', ['model.json', 'model.safetensors', 'entities.tsv', 'relations.tsv', 'triples.npz'])
@pytest.mark.parametrize(
  'damage',
  [cut, lambda path: path.write_bytes(b''), lambda path: path.write_bytes(b'\xff\n' * 99)],
  ids=['cut', 'empty', 'garbage'],
)
def test_a_damaged_file_is_named(cropped, name, damage):
  damage(cropped / name)
  with pytest.raises(errors.ArtifactError, match='damaged or not of format') as caught:
    loading.load(cropped)
  assert str(cropped / name) in str(caught.value)


@pytest.mark.parametrize('name', ['model.json', 'entities.tsv', 'relations.tsv', 'notes.txt'])
def test_a_missing_file_is_named(cropped, name):
  (cropped / name).unlink()
  with pytest.raises(errors.ArtifactError, match='is missing') as caught:
    loading.load(cropped)
  assert str(cropped / name) in str(caught.value)


def change_json(path, **values):
  path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize('values', [{'format': 0}, {'score': 'rotat'}, {'widths': [3]}, {'surprise': 1}])
def test_a_description_of_another_kind_is_refused(cropped, values):
  change_json(cropped / 'model.json', **values)
  with pytest.raises(errors.ArtifactError, match='model.json is damaged or not of format 1'):
    loading.load(cropped)


def test_an_unreadable_configuration_is_named(trained, tmp_path, tiny_config):
  workdir = shutil.copytree(trained, tmp_path / 'run')
  cut(workdir / 'config.json')
  with pytest.raises(errors.ArtifactError, match='config.json is damaged'):
    runs.train(tiny_config(), workdir)


def test_tables_that_do_not_fit_the_vocabulary_are_refused(cropped):
  with (cropped / 'entities.tsv').open('a') as file:
    file.write('one more\tone more\n')
  with pytest.raises(errors.ArtifactError, match=r'model.safetensors holds tables of shapes .*call for'):
    loading.load(cropped)


def test_a_vocabulary_that_lost_a_line_is_refused(cropped):
  path = cropped / 'entities.tsv'
  path.write_text(''.join(path.read_text().splitlines(keepends=True)[:-1]))
  with pytest.raises(errors.ArtifactError, match='more entities or relations than'):
    loading.load(cropped)


def test_wider_widths_than_stored_are_refused(trained, cropped, tmp_path):
  change_json(cropped / 'model.json', widths=[4, 8, 16], offset=[6.0] * 3, scale=[1.0] * 3)
  with pytest.raises(errors.ArtifactError, match='model.safetensors holds tables'):
    loading.load(cropped)
  workdir = shutil.copytree(trained, tmp_path / 'run')
  (workdir / 'manifest.json').unlink()
  change_json(workdir / 'model.json', widths=[4, 8, 16])
  with pytest.raises(Exception, match='of another model .*was asked for'):
    loading.load(workdir)


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
  files_lib.write_text(tmp_path / 'a.json', 'old')
  monkeypatch.setattr(files_lib.os, 'fsync', lambda _: (_ for _ in ()).throw(OSError(28, 'No space left on device')))
  with pytest.raises(OSError):
    files_lib.write_text(tmp_path / 'a.json', 'new')
  assert (tmp_path / 'a.json').read_text() == 'old'


def test_phases_turn_in_a_run_as_its_configuration_says(tiny_config, tmp_path):
  runs.train(tiny_config({'model.phase_scale': 3.0, 'eval.every': 0, 'train.steps': 2}), tmp_path / 'run')
  assert artifact.read_description(tmp_path / 'run').constants['phase_scale'] == 3.0


@pytest.mark.parametrize('score, expected', [('rotate', 16.0), ('complex', 0.0)])
def test_a_configuration_from_before_phases_had_a_scale_has_the_one_of_its_time(score, expected, tiny_config, tmp_path):
  workdir_lib.write_config(tmp_path, tiny_config({'model.score': score}))
  flat = json.loads((tmp_path / 'config.json').read_text())
  assert workdir_lib.read_config(tmp_path).model.phase_scale == flat.pop('model.phase_scale') == 0.0
  (tmp_path / 'config.json').write_text(json.dumps(flat))
  assert workdir_lib.read_config(tmp_path).model.phase_scale == expected
