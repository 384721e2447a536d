"""Every export is read back by its own library, and ranks as the model does."""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import medjax
from medjax import errors, scores
from medjax.experiments import commands, evaluating
from medjax.serve import vectors
from medjax.serve.interop import exports, extras, for_pykeen, hub
from tests.serve.models import ENTITIES, make_graph, make_model, RELATIONS

SEARCHABLE = sorted(name for name in scores.REGISTRY if vectors.metric(name))
QUERIES = [
  (side, anchor, relation) for side in ('tail', 'head') for anchor in range(6) for relation in range(RELATIONS)
]
ROOT = pathlib.Path(__file__).parents[2]


def check_neighbours(model, search):
  """`search` (a query vector [D] -> ids) gives the entities in the order of the model's own scores."""
  for side, anchor, relation in QUERIES:
    query = vectors.query_vectors(model, side, np.array([anchor]), np.array([relation]))[0]
    found, own = np.asarray(search(query)), model.score_all(side, anchor, relation)
    assert sorted(found.tolist()) == list(range(ENTITIES))
    np.testing.assert_allclose(own[found], np.sort(own)[::-1], rtol=1e-4, atol=1e-4)  # but for ties of rounding


@pytest.mark.parametrize('dtype', ['float32', 'float16', 'int8'])
@pytest.mark.parametrize('name', scores.REGISTRY)
def test_a_shrunk_folder_loads_as_a_model(name, dtype, tmp_path):
  model = make_model(name)
  loaded = medjax.load(exports.export(model, tmp_path / 'out', 'safetensors', dtype))
  assert loaded.description == model.description
  for table in ('entity', 'relation'):
    for leaf, expected in model.params[table].items():
      found = loaded.params[table][leaf]
      assert found.dtype == np.float32
      bound = {'float32': 0, 'float16': np.abs(expected) * 2**-11 + 1e-7, 'int8': np.abs(expected).max(0) / 253}[dtype]
      assert (np.abs(found - expected) <= bound).all()
  small = medjax.load(exports.export(model.crop(4), tmp_path / 'crop', 'safetensors', dtype))
  for leaf, expected in loaded.crop(4).params['entity'].items():
    np.testing.assert_array_equal(small.params['entity'][leaf], expected)


def test_a_shrunk_crop_tells_what_it_costs(trained_complex, tmp_path):
  sizes, mrr = {}, {}
  for dtype in ('float32', 'float16', 'int8'):
    commands.crop(trained_complex, 12, tmp_path / dtype, with_triples=True, dtype=dtype)
    sizes[dtype] = (tmp_path / dtype / 'model.safetensors').stat().st_size
    mrr[dtype] = evaluating.evaluate(tmp_path / dtype)['mrr'].iloc[-1]
  assert sizes['float32'] > sizes['float16'] > sizes['int8']
  assert mrr['float16'] == pytest.approx(mrr['float32'], abs=0.01) and mrr['int8'] == pytest.approx(
    mrr['float32'], abs=0.03
  )


@pytest.mark.parametrize('dtype', ['float32', 'float16', 'int8'])
def test_numpy_files_are_the_vectors(dtype, tmp_path):
  model = make_model('complex')
  exports.export(model, tmp_path, 'numpy', dtype)
  for kind, expected in (('entities', vectors.entity_vectors(model)), ('relations', vectors.relation_vectors(model))):
    table = np.load(tmp_path / f'{kind}.npy', allow_pickle=False)
    assert table.dtype == dtype
    if dtype == 'int8':
      table = table * np.load(tmp_path / f'{kind}.scale.npy', allow_pickle=False)
    np.testing.assert_allclose(table, expected, atol={'float32': 0, 'float16': 2e-3, 'int8': 4e-3}[dtype])
  lines = (tmp_path / 'entities.tsv').read_text(encoding='utf-8').splitlines()
  assert lines[:2] == ['id\tlabel', 'e00\tNew York'] and len(lines) == ENTITIES + 1


def test_word2vec_is_read_by_gensim(tmp_path):
  keyed = pytest.importorskip('gensim.models.keyedvectors').KeyedVectors
  model = make_model('distmult')
  exports.export(model, tmp_path, 'word2vec')
  read = keyed.load_word2vec_format(str(tmp_path / 'entities.txt'))
  assert read.index_to_key[:5] == ['New_York', 'New_York_2', 'São_Paulo', 'tab_here', '_']
  np.testing.assert_array_equal(read.vectors, vectors.entity_vectors(model))
  check_neighbours(model, lambda query: np.argsort(-(read.vectors @ query)))
  assert (tmp_path / 'entities.words.tsv').read_text(encoding='utf-8').splitlines()[2] == 'New_York_2\te01\tNew_York'
  relations = keyed.load_word2vec_format(str(tmp_path / 'relations.txt'))
  np.testing.assert_array_equal(relations['r2'], vectors.relation_vectors(model)[2])


def test_word2vec_lines_are_words_and_numbers(tmp_path):
  model = make_model('rotate').crop(4)
  exports.export(model, tmp_path, 'word2vec')
  first, *lines = (tmp_path / 'entities.txt').read_text(encoding='utf-8').splitlines()
  assert first == f'{ENTITIES} 4' and len({line.split(' ')[0] for line in lines}) == ENTITIES
  table = np.array([line.split(' ')[1:] for line in lines], np.float32)
  np.testing.assert_array_equal(table, vectors.entity_vectors(model))


@pytest.mark.parametrize('dtype', ['float32', 'float16'])
def test_parquet_has_identifiers_labels_and_vectors(dtype, tmp_path):
  parquet = pytest.importorskip('pyarrow.parquet')
  model = make_model('simple')
  exports.export(model, tmp_path, 'parquet', dtype)
  table = parquet.read_table(tmp_path / 'entities.parquet')
  assert table.column_names == ['id', 'label', 'vector'] and table['id'].to_pylist() == list(model.entities.identifiers)
  assert table['label'].to_pylist() == list(model.entities.labels)
  found = np.array(table['vector'].to_pylist())
  np.testing.assert_array_equal(found, vectors.entity_vectors(model).astype(dtype))
  assert json.loads(table.schema.metadata[b'medjax']) == {'score': 'simple', 'width': 12}


@pytest.mark.parametrize('name', SEARCHABLE)
def test_faiss_finds_what_the_model_predicts(name, tmp_path):
  faiss = pytest.importorskip('faiss')
  model = make_model(name).crop(8)
  exports.export(model, tmp_path, 'faiss')
  index = faiss.read_index(str(tmp_path / 'index.faiss'))
  check_neighbours(model, lambda query: index.search(query[None], ENTITIES)[1][0])
  about = json.loads((tmp_path / 'index.json').read_text())
  assert about['metric'] == vectors.metric(name) and about['width'] == 8 and about['scale'] == 1.5


@pytest.mark.parametrize('name', [name for name in SEARCHABLE if name != 'transe'])
def test_usearch_finds_what_the_model_predicts(name, tmp_path):
  index = pytest.importorskip('usearch.index')
  model = make_model(name)
  exports.export(model, tmp_path, 'usearch')
  read = index.Index.restore(str(tmp_path / 'index.usearch'))
  check_neighbours(model, lambda query: read.search(query, ENTITIES, exact=True).keys)


@pytest.mark.parametrize('name', [name for name in SEARCHABLE if name != 'transe'])
def test_hnswlib_finds_what_the_model_predicts(name, tmp_path):
  hnswlib = pytest.importorskip('hnswlib')
  model = make_model(name)
  exports.export(model, tmp_path, 'hnswlib')
  read = hnswlib.Index(space={'ip': 'ip', 'l2': 'l2'}[vectors.metric(name)], dim=model.width)
  read.load_index(str(tmp_path / 'index.hnswlib'))
  read.set_ef(ENTITIES)
  check_neighbours(model, lambda query: read.knn_query(query, ENTITIES)[0][0])


@pytest.mark.parametrize(
  'name, format, words',
  [
    ('rotate', 'faiss', 'rotate scores have no metric'),
    ('pairre', 'usearch', 'pairre scores have no metric'),
    ('transe', 'usearch', 'usearch has no L1 metric, by which transe ranks; export to faiss'),
    ('transe', 'hnswlib', 'hnswlib has no L1 metric'),
    ('pairre', 'pykeen', 'PyKEEN has no model that scores as pairre'),
    ('complex', 'fais', "did you mean 'faiss'"),
  ],
)
def test_what_a_format_cannot_hold_is_refused(name, format, words, tmp_path):
  with pytest.raises(errors.FormatError, match=words):
    exports.export(make_model(name), tmp_path / 'out', format)
  with pytest.raises(errors.FormatError, match='faiss stores numbers as float32'):
    exports.export(make_model('complex'), tmp_path / 'out', 'faiss', 'int8')


def test_a_missing_package_names_its_extra(monkeypatch):
  monkeypatch.setitem(sys.modules, 'faiss', None)
  with pytest.raises(errors.FormatError, match=r"needs faiss: pip install 'medjax\[faiss\]'"):
    extras.need('faiss')
  text = (ROOT / 'pyproject.toml').read_text()
  assert all(f'\n{extra} = [' in text for extra in extras.EXTRAS.values())


def test_a_hub_folder_tells_its_results_and_loads(trained_complex, tmp_path):
  pytest.importorskip('huggingface_hub')
  commands.export(trained_complex, 'hub', tmp_path / 'out', 8)
  text = (tmp_path / 'out' / 'README.md').read_text(encoding='utf-8')
  _, metadata, body = text.split('---\n', 2)
  assert 'library_name: medjax' in metadata and 'type: mrr' in metadata and 'pipeline_tag: graph-ml' in metadata
  rows = [line for line in body.splitlines() if line.startswith(('| 4 |', '| 8 |', '| 12 |'))]
  results = [line.split(',') for line in (trained_complex / 'results.csv').read_text().splitlines()[1:]]
  assert len(rows) == 2 and all(f'{float(row[1]):.4f}' in line for line, row in zip(rows, results))
  assert medjax.load(tmp_path / 'out').width == 8
  fields = json.loads((tmp_path / 'out' / 'training.json').read_text())
  assert fields['model.score'] == 'complex' and '/' not in fields['data.path']


def test_a_card_has_the_licence_and_no_folders(tmp_path):
  pytest.importorskip('huggingface_hub')
  graph = make_graph()
  model = make_model('distmult')
  model = dataclasses.replace(model, graph=dataclasses.replace(graph, notes=('licence: CC0', 'read from /home/me')))
  exports.export(model, tmp_path, 'hub', 'int8')
  text = (tmp_path / 'README.md').read_text(encoding='utf-8')
  assert 'license: other' in text and '\nCC0\n' in text and 'stored as int8' in text
  assert not any('/home/me' in path.read_text(errors='replace') for path in tmp_path.iterdir())
  assert medjax.load(tmp_path).graph.notes == ('licence: CC0',)


def test_an_upload_is_asked_for_and_needs_a_login(monkeypatch, tmp_path, trained_complex):
  library = pytest.importorskip('huggingface_hub')
  done = []

  class Api:
    def create_repo(self, name, **options):
      done.append(name)

    def upload_folder(self, folder_path, **options):
      done.append(sorted(os.listdir(folder_path)))

  monkeypatch.setattr(library, 'HfApi', Api)
  monkeypatch.setattr(library, 'get_token', lambda: None)
  with pytest.raises(errors.FormatError, match='nobody is logged in'):
    hub.push(tmp_path, 'me/mine')
  monkeypatch.setattr(library, 'get_token', lambda: 'a token')
  commands.export(trained_complex, 'hub', tmp_path / 'kept', 4)
  assert not done
  commands.export(trained_complex, 'hub', tmp_path / 'out', 4, push_to='me/mine')
  assert done[0] == 'me/mine' and {'README.md', 'model.json', 'model.safetensors', 'training.json'} <= set(done[1])
  with pytest.raises(errors.UsageError, match='only --format=hub'):
    commands.export(trained_complex, 'numpy', tmp_path / 'other', 4, push_to='me/mine')


def pykeen_scores(name, weights, heads, relations, tails):
  """PyKEEN's scores of triples, from its documentation: complex numbers are neighbouring pairs."""
  entity, relation = (
    [
      weights[f'{k}_representations.{i}._embeddings.weight']
      for i in range(2)
      if f'{k}_representations.{i}._embeddings.weight' in weights
    ]
    for k in ('entity', 'relation')
  )
  h, r, t = ([one[ids] for one in tables] for tables, ids in ((entity, heads), (relation, relations), (entity, tails)))
  if name in ('complex', 'rotate'):
    h, r, t = (one[0].view(np.complex64) for one in (h, r, t))
    return (h * r * t.conj()).real.sum(-1) if name == 'complex' else -np.abs(h * r - t).sum(-1)
  if name == 'distmult':
    return (h[0] * r[0] * t[0]).sum(-1)
  if name == 'simple':
    return (h[0] * r[0] * t[1] + t[0] * r[1] * h[1]).sum(-1) / 2
  return -np.linalg.norm(h[0] + r[0] - t[0], 1 if name == 'transe' else 2, axis=-1)


@pytest.mark.parametrize('name', for_pykeen.MODELS)
def test_weights_for_pykeen_score_by_its_formulas(name, tmp_path):
  model = make_model(name)
  exports.export(model, tmp_path, 'pykeen')
  with np.load(tmp_path / 'weights.npz', allow_pickle=False) as file:
    weights = dict(file)
  plain, everyone = name.removesuffix('_reciprocal'), np.arange(ENTITIES)
  for side, anchor, relation in QUERIES:
    given = np.full(ENTITIES, anchor)
    if name != plain:  # a query for heads is one for the tails of the relation behind it
      asked = (given, np.full(ENTITIES, 2 * relation + (side == 'head')), everyone)
    else:
      heads, tails = (given, everyone) if side == 'tail' else (everyone, given)
      asked = (heads, np.full(ENTITIES, relation), tails)
    own = (model.score_all(side, anchor, relation) - model.description.offset[-1]) / model.description.scale[-1]
    np.testing.assert_allclose(pykeen_scores(plain, weights, *asked), own, rtol=1e-4, atol=1e-5)


@pytest.mark.skipif('MEDJAX_PEER_PYTHON' not in os.environ, reason='names a Python with PyTorch and PyKEEN 1.11')
@pytest.mark.parametrize('name', for_pykeen.MODELS)
def test_pykeen_evaluates_an_export_as_we_do(name, tmp_path):
  model = make_model(name)
  model.save(tmp_path / 'own')
  exports.export(model, tmp_path / 'theirs', 'pykeen')
  script = pathlib.Path(for_pykeen.__file__).with_name('pykeen_side.py')
  command = [os.environ['MEDJAX_PEER_PYTHON'], str(script), str(tmp_path / 'theirs')]
  theirs = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
  ours = evaluating.evaluate(tmp_path / 'own').iloc[-1]
  for metric, value in theirs.items():
    assert value == pytest.approx(ours[metric], rel=1e-6), metric


def test_exporting_loads_no_jax(tmp_path):
  text = 'import sys, medjax.serve.interop.exports, medjax.serve.interop.imports; sys.exit("jax" in sys.modules)'
  assert subprocess.run([sys.executable, '-c', text], cwd=ROOT, check=False).returncode == 0
