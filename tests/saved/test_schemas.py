"""What JSON files, vocabularies and tables of a model may hold: anything else is an error that names the file."""

import contextlib
import io
import json
import random
import string

from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
import numpy as np
import pytest

import medjax
from medjax import config as config_lib
from medjax import errors
from medjax.data import labels
from medjax.data.graph import Graph
from medjax.report import collect, cost
from medjax.saved import artifact, graph_files, manifest, tensors, workdir
from medjax.serve import probability
from medjax.serve.model import Model

DEEP = b'{"a":' * 100_000
CONSTANTS = {'init_range': 0.1, 'init_scale': 0.1, 'phase_scale': 1.0}
DESCRIPTION = artifact.Description('distmult', CONSTANTS, (4, 8), 4, (0.0, 0.0), (2.0, 1.0), 'tiny')


@pytest.fixture
def folder(tmp_path):
  """A model without a manifest, as one that was written before there were any."""
  table = np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32)
  names = tuple('abcde')
  triples = np.array([[0, 0, 1], [1, 1, 2]], np.int32)
  graph = Graph('tiny', names, names[:2], triples, triples, triples, names, names[:2])
  Model(DESCRIPTION, {'entity': {'vector': table}, 'relation': {'vector': table[:2]}}, graph).save(tmp_path)
  (tmp_path / manifest.FILE).unlink()
  return tmp_path


def change(path, **values):
  path.write_text(json.dumps(json.loads(path.read_text()) | values))


def ask(folder):
  """Uses everything that is loaded."""
  model = medjax.load(folder)
  return model.predict_tails('a', 'b', k=3), model.crop(4).score('a', 'b', 'c')


@pytest.mark.parametrize(
  'values',
  [
    {'widths': []},
    {'widths': [4.5, 8]},
    {'widths': [4, 4]},
    {'widths': [8, 4]},
    {'widths': [True, 8]},
    {'widths': [0, 8]},
    {'widths': [4, 10**30]},
    {'widths': 8},
    {'block': -1},
    {'block': 1.5},
    {'block': 1e9},
    {'block': 3},
    {'block': None},
    {'constants': 'none'},
    {'constants': {'init_range': 0.1, 'phase_scale': 1.0}},
    {'constants': {'init_range': 'x'}},
    {'constants': {'init_range': None}},
    {'offset': []},
    {'scale': []},
    {'offset': [0.0]},
    {'offset': [0.0, None]},
    {'scale': [2.0, -1.0]},
    {'scale': [2.0, 0.0]},
    {'score': 'rotat'},
    {'score': 1},
    {'score': 'a\0b'},
    {'source': '../../etc'},
    {'source': '/etc'},
    {'source': 'a\0b'},
    {'unseen': 'x'},
    {'candidates': -2},
    {'extra_widths': '4:x'},
    {'surprise': 1},
    {'format': None},
    {'format': 0},
    {'format': '1.x'},
    {'format': True},
  ],
  ids=str,
)
def test_a_description_that_cannot_be_is_refused(folder, values):
  change(folder / 'model.json', **values)
  with pytest.raises(errors.ArtifactError, match=r'model\.json'):
    ask(folder)


@pytest.mark.parametrize('text', [b'NaN', b'Infinity', b'-Infinity', b'1e999', DEEP, b'"x"', b'[]', b'\xff', b''])
def test_what_is_no_number_of_json_is_refused(folder, text):
  path = folder / 'model.json'
  path.write_bytes(path.read_bytes().replace(b'2.0', text, 1))
  with pytest.raises(errors.ArtifactError, match='model.json is damaged'):
    ask(folder)


def test_a_newer_major_format_is_refused_by_name(folder):
  change(folder / 'model.json', format=2, surprise=1)
  with pytest.raises(errors.ArtifactError, match='model.json is of format 2, and this medjax reads format 1'):
    ask(folder)
  change(folder / 'model.json', format='3.1')
  with pytest.raises(errors.ArtifactError, match=r'is of format 3\.1'):
    ask(folder)


def test_fields_of_a_newer_minor_format_are_told_and_left_out(folder, capsys):
  before = ask(folder)
  capsys.readouterr()
  change(folder / 'model.json', format='1.3', surprise=1)
  after = ask(folder)
  assert before[0].equals(after[0]) and before[1] == after[1]
  err = capsys.readouterr().err
  assert "model.json is of a newer format than 1.0 and has fields that are left out here: 'surprise'" in err


def write_tables(folder, entity, **more):
  relation = np.ones((2, 8), np.float32)
  tensors.write(folder / artifact.WEIGHTS, {'entity.vector': entity, 'relation.vector': relation} | more)


ONES = np.ones((5, 8), np.float32)


@pytest.mark.parametrize('number', [np.nan, np.inf, -np.inf, 1e38])
def test_a_table_with_a_number_of_which_no_score_can_be_made_is_refused(folder, number):
  table = ONES.copy()
  table[3, 2] = number
  write_tables(folder, table)
  with pytest.raises(errors.ArtifactError, match=r'model.safetensors is damaged.*entity.vector has .* in row 3'):
    ask(folder)


@pytest.mark.parametrize('dtype', [bool, np.int32, np.int64, np.uint8, np.float64])
def test_a_table_of_another_type_is_refused(folder, dtype):
  write_tables(folder, ONES.astype(dtype))
  with pytest.raises(errors.ArtifactError, match='model.safetensors is damaged.*tables are float32, float16 or int8'):
    ask(folder)


@pytest.mark.parametrize('scale', [-1.0, 0.0, np.nan])
def test_a_factor_of_a_column_that_is_not_above_0_is_refused(folder, scale):
  factors = np.full(8, scale, np.float32)
  write_tables(folder, ONES.astype(np.int8), **{'entity.vector@scale': factors})
  with pytest.raises(errors.ArtifactError, match=r'entity.vector@scale has to hold a number above 0'):
    ask(folder)


def test_a_table_of_another_shape_is_refused(folder):
  for table in (np.ones(40, np.float32), np.ones((5, 2, 4), np.float32), np.ones((0, 8), np.float32)):
    write_tables(folder, table)
    with pytest.raises(errors.ArtifactError, match=r'model.safetensors holds tables of shapes'):
      ask(folder)


def test_equal_identifiers_are_refused_with_their_lines(folder):
  path = folder / 'entities.tsv'
  path.write_text(path.read_text().replace('d\td', 'b\tb'))
  with pytest.raises(errors.ArtifactError, match="entities.tsv is damaged.*lines 3 and 5 have the same identifier 'b'"):
    ask(folder)


def test_names_that_nothing_tells_apart_end(folder):
  with pytest.raises(errors.DataError, match="several entries have the identifier 'x'"):
    labels.unique_labels(['a', 'a'], ['x', 'x'])
  assert labels.unique_labels(['a', 'b'], ['x', 'x']) == ('a', 'b')


def test_a_vocabulary_without_its_first_line_is_refused(folder):
  path = folder / 'entities.tsv'
  path.write_text(path.read_text().partition('\n')[2])
  with pytest.raises(errors.ArtifactError, match='entities.tsv is damaged.*line 1 is'):
    ask(folder)


@pytest.mark.parametrize('name', ['model.safetensors', 'model.json', 'entities.tsv', 'relations.tsv', 'notes.txt'])
def test_a_file_that_is_missing_is_named_without_a_manifest_too(folder, name):
  (folder / name).unlink()
  with pytest.raises(errors.ArtifactError, match=f'{name}'):
    ask(folder)


def test_a_run_without_its_configuration_is_named(folder):
  (folder / 'model.safetensors').unlink()
  (folder / 'checkpoints').mkdir()
  with pytest.raises(errors.ArtifactError, match='config.json is missing'):
    ask(folder)


@pytest.mark.parametrize(
  'values',
  [
    {'eval.batch': 0},
    {'eval.batch': -1},
    {'eval.batch': '5'},
    {'eval.unseen': 'x'},
    {'train.learning_rate': 0},
    {'train.learning_rate': -1.0},
    {'train.steps': True},
    {'train.steps': 1.5},
    {'train.seed': 2**40},
    {'data.path': 'a\0b'},
    {'name': '../x'},
    {'name': '/x'},
    {'name': ''},
    {'distill.teacher_hash': None},
    {'surprise': 1},
    {'train': {}},
  ],
  ids=str,
)
def test_a_configuration_that_cannot_be_is_refused(tmp_path, values):
  workdir.write_config(tmp_path, config_lib.Config())
  assert workdir.read_config(tmp_path) == config_lib.Config()
  change(tmp_path / 'config.json', **values)
  with pytest.raises(errors.ArtifactError, match=r'config.json is damaged'):
    workdir.read_config(tmp_path)


def test_a_configuration_of_a_newer_format_is_refused_or_told(tmp_path, capsys):
  workdir.write_config(tmp_path, config_lib.Config(name='new'))
  change(tmp_path / 'config.json', format='1.1', **{'train.surprise': 1})
  assert workdir.read_config(tmp_path).name == 'new' and "'train.surprise'" in capsys.readouterr().err
  change(tmp_path / 'config.json', format='2.0')
  with pytest.raises(errors.ArtifactError, match=r'config.json is of format 2\.0'):
    workdir.read_config(tmp_path)


@pytest.mark.parametrize(
  'values',
  [{'hash': None}, {'hash': 'x'}, {'hash': 'A' * 64}, {'path': 'a\0b'}, {'path': ''}, {'path': 1}, {'a': 1}],
  ids=str,
)
def test_the_name_of_a_prepared_graph_that_cannot_be_is_refused(folder, values):
  (folder / 'graph.json').write_text(json.dumps({'path': '/nowhere', 'hash': 'a' * 64} | values))
  with pytest.raises(errors.ArtifactError, match=r'graph.json is damaged'):
    ask(folder)


def test_labels_in_records_in_records_are_refused(tmp_path):
  for content in (DEEP, b'{"a": ' + b'9' * 5000 + b'}'):
    (tmp_path / 'labels.json').write_bytes(content)
    with pytest.raises(errors.DataError, match=r'labels.json.*no JSON'):
      labels.read_file(tmp_path / 'labels.json')


READERS = {
  'model.json': artifact.read_description,
  'config.json': workdir.read_config,
  'source.json': workdir.read_source,
  'graph.json': graph_files.read_reference,
  'manifest.json': manifest.read,
  'calibration.json': probability.read,
  'cost.json': cost.read,
  'extraction.json': lambda folder: collect.extracted(folder / 'extraction.json'),
}
WHOLE = {
  'model.json': json.dumps({'format': 1, 'score': 'distmult', 'constants': CONSTANTS, 'widths': [4, 8], 'block': 4}),
  'config.json': json.dumps(config_lib.flatten(config_lib.Config())),
  'source.json': json.dumps({'a': {'bytes': 1, 'time': 2, 'sha256': 'a' * 64}}),
  'graph.json': json.dumps({'path': 'a', 'hash': 'a' * 64}),
  'manifest.json': json.dumps({'format': 1, 'files': {'a': [1, 'a' * 32]}, 'hash': 'a' * 32}),
  'calibration.json': json.dumps({'format': 1, 'widths': {'4': {'scores': [1.0], 'probabilities': [0.5]}}}),
  'cost.json': json.dumps({'steps': 3}),
  'extraction.json': json.dumps({'method': 'a', 'by': 'b', 'seed': 0, 'full_width': 4, 'config': None}),
}
VALUES = st.recursive(
  st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
  lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
  max_leaves=12,
)


def mutated(text, draw):
  """A text with some characters replaced, left out or doubled."""
  characters = list(text)
  for _ in range(draw.randint(1, 4)):
    place = draw.randrange(len(characters))
    characters[place] = draw.choice(['', characters[place] * 2, *string.punctuation, *'0129eE', '\0', '\ud800'])
  return ''.join(characters)


@pytest.mark.parametrize('name', READERS)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_reader_of_json_raises_only_errors_of_ours(tmp_path, name, data):
  kinds = st.sampled_from(['bytes', 'values', 'fields', 'mutated'])
  kind = data.draw(kinds)
  if kind == 'bytes':
    content = data.draw(st.binary(max_size=60))
  elif kind == 'mutated':
    content = mutated(WHOLE[name], random.Random(data.draw(st.integers(0, 2**32)))).encode('utf-8', 'surrogatepass')
  else:
    values = data.draw(VALUES)
    if kind == 'fields':
      whole = json.loads(WHOLE[name])
      values = whole | {data.draw(st.sampled_from(sorted(whole))): values}
    content = json.dumps(values).encode()
  (tmp_path / name).write_bytes(content)
  with contextlib.suppress(errors.MedjaxError), contextlib.redirect_stderr(io.StringIO()):
    READERS[name](tmp_path)


def test_the_files_that_readers_are_tried_on_are_whole(tmp_path):
  for name, text in WHOLE.items():
    (tmp_path / name).write_text(text)
    if name != 'manifest.json':  # whose own hash is another
      assert READERS[name](tmp_path)
    (tmp_path / name).unlink()


def damaged(content, draw):
  """Bytes with a few of them changed, left out or put in."""
  changed = bytearray(content)
  for _ in range(draw.randint(1, 3)):
    place = draw.randrange(len(changed) + 1)
    changed[place : place + draw.choice((0, 1, 1, 4))] = draw.choice((b'', draw.randbytes(1), draw.randbytes(4)))
  return bytes(changed)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_a_model_without_a_manifest_raises_only_errors_of_ours(folder, seed):
  draw = random.Random(seed)
  path = draw.choice(sorted(path for path in folder.iterdir() if path.stat().st_size))
  content = path.read_bytes()
  path.write_bytes(damaged(content, draw))
  try:
    with contextlib.suppress(errors.MedjaxError), contextlib.redirect_stderr(io.StringIO()):
      ask(folder)
  finally:
    path.write_bytes(content)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_model_of_any_description_raises_only_errors_of_ours(folder, data):
  path = folder / 'model.json'
  content = path.read_bytes()
  whole = json.loads(content)
  values = {
    name: data.draw(VALUES) for name in data.draw(st.sets(st.sampled_from(sorted(whole)), min_size=1, max_size=2))
  }
  path.write_text(json.dumps(whole | values))
  try:
    with contextlib.suppress(errors.MedjaxError), contextlib.redirect_stderr(io.StringIO()):
      ask(folder)
  finally:
    path.write_bytes(content)
