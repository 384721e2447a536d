"""Models of other libraries score in medjax as those libraries' formulas say.

The PyKEEN models of tests/serve/pykeen were trained, saved and scored by PyKEEN itself:

  python tests/serve/make_pykeen.py tests/serve/pykeen
"""

import dataclasses
import gzip
import json
import os
import pathlib
import shutil

import numpy as np
import pytest

import medjax
from medjax import errors
from medjax.data.graph import Graph
from medjax.serve.interop import imports, names
from tests.data.test_tensors import save, tensor

PYKEEN = pathlib.Path(__file__).parent / 'pykeen'
ENTITIES, RELATIONS, RANK, GAMMA = 9, 3, 5, 7.0
ORDER, RELATION_ORDER = np.random.default_rng(5).permutation(ENTITIES), np.array([2, 0, 1])  # row of the i-th name


@pytest.fixture
def graph():
  """Entities e0 to e8 and relations r0 to r2, with a triple or two in every split."""
  ids, kinds = tuple(f'e{i}' for i in range(ENTITIES)), tuple(f'r{i}' for i in range(RELATIONS))
  triples = np.stack(np.unravel_index(np.arange(0, 240, 3), (ENTITIES, RELATIONS, ENTITIES)), 1).astype(np.int32)
  return Graph('tiny', ids, kinds, triples[:60], triples[60:70], triples[70:], ids, kinds)


def ring_graph(path=PYKEEN / 'complex' / 'training_triples'):
  ids, kinds = (names.read(path / f'{kind}_to_id.tsv.gz', 'id') for kind in ('entity', 'relation'))
  triples = np.array([(i, 1, (i + 1) % 12) for i in range(12)], np.int32)
  return Graph('ring', ids, kinds, triples[:8], triples[8:10], triples[10:], ids, kinds)


def ranks(scores):
  """Places of candidates, the best first, by a score in double precision that is rounded so that ties stay ties."""
  return np.argsort(np.argsort(-np.asarray(scores, np.float64), -1, kind='stable'), -1, kind='stable')


def own_scores(model, side):
  """[anchor, relation, candidate]."""
  entities, relations = (range(len(words.labels)) for words in (model.entities, model.relations))
  return np.stack([[model.score_all(side, a, r) for r in relations] for a in entities])


@pytest.mark.parametrize('name', sorted(path.name for path in PYKEEN.iterdir()))
def test_pykeen_models_rank_as_pykeen_does(name, tmp_path):
  source, notes = imports.import_model(PYKEEN / name, 'pykeen', ring_graph(), tmp_path / 'out')
  model = medjax.load(tmp_path / 'out')
  assert not notes and source.score == {'simple': 'distmult', 'rotate': 'complex'}.get(name, name)
  with np.load(PYKEEN / name / 'scores.npz', allow_pickle=False) as theirs:
    for side in ('tail', 'head'):
      found, expected = own_scores(model, side), theirs[side]
      if name == 'rotate':  # the squared distance
        found = -np.sqrt(np.maximum(-found, 0))
      np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)
      assert (ranks(found) == ranks(expected)).mean() > 0.99  # but for ties of rounding


def test_a_state_dict_needs_to_be_told_its_score(tmp_path):
  source = shutil.copytree(PYKEEN / 'complex' / 'training_triples', tmp_path / 'in' / 'training_triples').parent
  table = np.random.default_rng(0).normal(size=(15, 8)).astype(np.float32)
  value = {
    'entity_representations.0._embeddings.weight': tensor('0', (12, 8), (8, 1)),
    'relation_representations.0._embeddings.weight': tensor('0', (3, 8), (8, 1), 96),
  }
  save(source / 'model.pt', value, {'0': table})
  with pytest.raises(errors.DataError, match='model.pt: a state_dict does not say .* --score, one of complex'):
    imports.import_model(source, 'pykeen', ring_graph(), tmp_path / 'out')
  with pytest.raises(errors.DataError, match='--score=conve'):
    imports.import_model(source, 'pykeen', ring_graph(), tmp_path / 'out', 'conve')
  imports.import_model(source, 'pykeen', ring_graph(), tmp_path / 'out', 'complex')
  entity, relation = table[:12].view(np.complex64), table[12:].view(np.complex64)
  expected = np.einsum('hd,rd,td->hrt', entity, relation, entity.conj()).real
  np.testing.assert_allclose(own_scores(medjax.load(tmp_path / 'out'), 'tail'), expected, rtol=1e-4, atol=1e-5)


def draw(rows, columns, seed):
  return np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)


def tables(model):
  """Entity and relation tables in a source's order, and its scores [head, relation, tail] in the graph's order."""
  double = model in ('ComplEx', 'RotatE', 'SimplE')
  entity = draw(ENTITIES, RANK * (1 + double), 1)
  relation = draw(RELATIONS, RANK * (1 + (double and model != 'RotatE')), 2)
  e, r = entity[ORDER].astype(np.float64), relation[RELATION_ORDER].astype(np.float64)
  h, q, t = e[:, None, None], r[None, :, None], e[None, None]
  left, right = (lambda x: x[..., :RANK]), (lambda x: x[..., RANK:])
  whole = lambda x: left(x) + 1j * right(x)
  if model.startswith('TransE'):
    norm = 1 if model in ('TransE_l1', 'TransE') else 2
    return entity, relation, GAMMA - np.linalg.norm(h + q - t, norm, axis=-1)
  if model == 'DistMult':
    return entity, relation, (h * q * t).sum(-1)
  if model == 'ComplEx':
    return entity, relation, (whole(h) * whole(q) * whole(t).conj()).real.sum(-1)
  if model == 'SimplE':
    return entity, relation, (left(h) * left(q) * right(t) + left(t) * right(q) * right(h)).sum(-1) / 2
  angle = q / ((GAMMA + 2) / RANK / np.pi)
  return entity, relation, GAMMA - np.abs(whole(h) * np.exp(1j * angle) - whole(t)).sum(-1)


def write_names(folder, entities, relations, line='{id}\t{name}\n'):
  """Names in files: row ORDER[i] is e{i}."""
  for file, order, letter in ((entities, ORDER, 'e'), (relations, RELATION_ORDER, 'r')):
    rows = sorted((int(row), f'{letter}{i}') for i, row in enumerate(order))
    (folder / file).write_text(''.join(line.format(id=i, name=name) for i, name in rows))


def check(folder, expected):
  model = medjax.load(folder)
  np.testing.assert_allclose(own_scores(model, 'tail'), expected, rtol=1e-4, atol=1e-4)
  np.testing.assert_allclose(own_scores(model, 'head'), expected.transpose(2, 1, 0), rtol=1e-4, atol=1e-4)
  return model


@pytest.mark.parametrize('model', ['TransE_l1', 'TransE_l2', 'DistMult', 'ComplEx', 'SimplE', 'RotatE'])
def test_dglke_tables_score_by_its_formulas(model, graph, tmp_path):
  entity, relation, expected = tables(model)
  np.save(tmp_path / f'FB15k_{model}_entity.npy', entity)
  np.save(tmp_path / f'FB15k_{model}_relation.npy', relation)
  (tmp_path / 'config.json').write_text(json.dumps({'model_name': model, 'gamma': GAMMA}))
  write_names(tmp_path, 'entities.tsv', 'relations.tsv')
  imports.import_model(tmp_path, 'dglke', graph, tmp_path / 'out')
  assert check(tmp_path / 'out', expected).width == entity.shape[1]


def test_dglke_names_its_model_in_its_files_names(graph, tmp_path):
  entity, relation, expected = tables('ComplEx')
  np.save(tmp_path / 'wn_ComplEx_entity.npy', entity)
  np.save(tmp_path / 'wn_ComplEx_relation.npy', relation)
  write_names(tmp_path, 'entities.dict', 'relations.dict')
  imports.import_model(tmp_path, 'dglke', graph, tmp_path / 'out')
  check(tmp_path / 'out', expected)
  for kind in ('entity', 'relation'):
    (tmp_path / f'wn_ComplEx_{kind}.npy').rename(tmp_path / f'wn_RotatE_{kind}.npy')
  with pytest.raises(errors.DataError, match='config.json: gamma is None'):
    imports.import_model(tmp_path, 'dglke', graph, tmp_path / 'out')
  (tmp_path / 'config.json').write_text('{"model": "RESCAL"}')
  with pytest.raises(errors.DataError, match='RESCAL.* no model that medjax has a score for'):
    imports.import_model(tmp_path, 'dglke', graph, tmp_path / 'out')


@pytest.mark.parametrize('model', ['RotatE', 'ComplEx', 'DistMult', 'TransE'])
@pytest.mark.parametrize('beside', [True, False])
def test_tables_of_rotates_code_score_by_its_formulas(model, beside, graph, tmp_path):
  entity, relation, expected = tables(model)
  run, data = tmp_path / 'run', tmp_path / 'data'
  run.mkdir()
  data.mkdir()
  np.save(run / 'entity_embedding.npy', entity)
  np.save(run / 'relation_embedding.npy', relation)
  (run / 'config.json').write_text(json.dumps({'model': model, 'gamma': GAMMA, 'data_path': str(data)}))
  write_names(run if beside else data, 'entities.dict', 'relations.dict')
  imports.import_model(run, 'rotate', graph, tmp_path / 'out')
  check(tmp_path / 'out', expected)


def test_an_unknown_model_of_rotates_code_is_refused(graph, tmp_path):
  (tmp_path / 'config.json').write_text('{"model": "pRotatE", "gamma": 6}')
  with pytest.raises(errors.DataError, match="the model 'pRotatE' has no score"):
    imports.import_model(tmp_path, 'rotate', graph, tmp_path / 'out')


@pytest.mark.parametrize('model', [{}, ['RotatE'], None, 'x' * 10**5])
def test_a_model_of_rotates_code_that_is_no_name_is_refused(model, graph, tmp_path):
  (tmp_path / 'config.json').write_text(json.dumps({'model': model, 'gamma': 6}))
  with pytest.raises(errors.DataError, match='config.json: the model .* has no score') as error:
    imports.import_model(tmp_path, 'rotate', graph, tmp_path / 'out')
  assert len(str(error.value)) < 1000


@pytest.mark.parametrize(
  'fields, words',
  [
    *(({'gamma': gamma}, 'gamma is') for gamma in (10**400, float('nan'), float('inf'), '6', [6], True)),
    *(({'data_path': path}, 'lacks entities.dict') for path in ('x' * 10**4, 'a\0b', '\ud800', 7)),
  ],
)
def test_settings_of_rotates_code_that_cannot_be_are_refused(fields, words, graph, tmp_path):
  entity, relation, _ = tables('RotatE')
  np.save(tmp_path / 'entity_embedding.npy', entity)
  np.save(tmp_path / 'relation_embedding.npy', relation)
  (tmp_path / 'config.json').write_text(json.dumps({'model': 'RotatE', 'gamma': GAMMA} | fields))
  with pytest.raises(errors.DataError, match=words):
    imports.import_model(tmp_path, 'rotate', graph, tmp_path / 'out')


@pytest.mark.parametrize('named', [True, False])
@pytest.mark.parametrize('reciprocal', [True, False])
def test_kbc_checkpoints_score_by_its_formulas(named, reciprocal, graph, tmp_path):
  both = 2 if reciprocal else 1
  entity, relation = draw(ENTITIES, 2 * RANK, 1), draw(both * RELATIONS, 2 * RANK, 2)
  value = {
    'embeddings.0.weight': tensor('0', entity.shape, (2 * RANK, 1), count=entity.size),
    'embeddings.1.weight': tensor('1', relation.shape, (2 * RANK, 1), count=relation.size),
  }
  save(tmp_path / '50.model', {'state': value} if named else value, {'0': entity, '1': relation})
  order, relation_order = np.arange(ENTITIES), np.arange(RELATIONS)
  if named:
    write_names(tmp_path, 'ent_id', 'rel_id', '{name}\t{id}\n')
    order, relation_order = ORDER, RELATION_ORDER
  source, _ = imports.import_model(tmp_path, 'kbc', graph, tmp_path / 'out')
  assert source.score == ('complex_reciprocal' if reciprocal else 'complex')
  whole = lambda x: x[:, :RANK] + 1j * x[:, RANK:]
  e, r = whole(entity)[order], whole(relation)
  asked = lambda rows: np.einsum('hd,rd,td->hrt', e, r[rows], e.conj()).real
  model = medjax.load(tmp_path / 'out')
  np.testing.assert_allclose(own_scores(model, 'tail'), asked(relation_order), rtol=1e-4, atol=1e-4)
  heads = asked(RELATIONS + relation_order) if reciprocal else asked(relation_order).transpose(2, 1, 0)
  np.testing.assert_allclose(own_scores(model, 'head'), heads, rtol=1e-4, atol=1e-4)


def test_other_data_and_damage_are_named(graph, tmp_path):
  entity, relation, _ = tables('DistMult')
  np.save(tmp_path / 'x_DistMult_entity.npy', entity)
  np.save(tmp_path / 'x_DistMult_relation.npy', relation)
  bring = lambda to, graph=graph: imports.import_model(tmp_path, 'dglke', graph, tmp_path / to)
  with pytest.raises(errors.DataError, match='lacks entities.tsv or entities.dict'):
    bring('a')
  write_names(tmp_path, 'entities.tsv', 'relations.tsv')
  with pytest.raises(errors.DataError, match="12 of the 12 entity identifiers of ring .*'e00'.* --config.data.path"):
    bring('a', ring_graph())
  none = dict.fromkeys(('train', 'valid', 'test'), np.zeros((0, 3), np.int32))
  fewer = dataclasses.replace(graph, relations=('r0', 'r2'), relation_labels=('r0', 'r2'), **none)
  _, notes = bring('b', fewer)
  assert len(notes) == 1 and '1 rows of' in notes[0] and medjax.load(tmp_path / 'b').relations.labels == ('r0', 'r2')
  np.save(tmp_path / 'x_DistMult_relation.npy', relation[:2])
  with pytest.raises(errors.DataError, match='it has 2 relation rows, but there are 3 names'):
    bring('c')
  np.save(tmp_path / 'x_DistMult_relation.npy', relation * np.nan)
  with pytest.raises(errors.DataError, match='not finite'):
    bring('c')
  np.save(tmp_path / 'x_DistMult_relation.npy', np.array([{}]), allow_pickle=True)
  with pytest.raises(errors.DataError, match='relation.npy: holds no array of numbers'):
    bring('c')
  with pytest.raises(errors.FormatError, match="did you mean 'dglke'"):
    imports.import_model(tmp_path, 'dgl-ke', graph, tmp_path / 'c')
  with pytest.raises(errors.DataError, match='there is no such file'):
    imports.import_model(tmp_path / 'nowhere', 'kbc', graph, tmp_path / 'c')


@pytest.mark.parametrize(
  'text, words',
  [
    ('0\ta\n1 b\n', "line 2: '1 b' is not number<tab>name"),
    ('0\ta\n0\tb\n', 'line 2: .* came before'),
    ('0\ta\n2\tb\n', 'no line has the number 1'),
    ('id\tlabel\n\n', 'line 2'),
    (f'0\ta\n{"9" * 5000}\tb\n', 'line 2'),
  ],
)
def test_a_faulty_file_of_names_is_told_its_line(text, words, tmp_path):
  (tmp_path / 'names.tsv.gz').write_bytes(gzip.compress(text.encode()))
  with pytest.raises(errors.DataError, match=f'names.tsv.gz.*{words}'):
    names.read(tmp_path / 'names.tsv.gz', 'id')


def test_names_are_read_in_the_order_of_their_numbers(tmp_path):
  (tmp_path / 'a').write_text('1\tone\n0\tnull\n2\ttwo words\n')
  (tmp_path / 'b').write_text('name\tid\nx\t1\n7\t0\n')
  assert names.read(tmp_path / 'a', 'id') == ('null', 'one', 'two words')
  assert names.read(tmp_path / 'b', 'name') == ('7', 'x')


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no pipes here')
@pytest.mark.parametrize('file', ['x_DistMult_entity.npy', 'config.json', 'entities.tsv'])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(file, graph, tmp_path):
  for kind in ('entity', 'relation'):
    np.save(tmp_path / f'x_DistMult_{kind}.npy', draw(ENTITIES, RANK, 1))
  (tmp_path / 'config.json').write_text('{}')
  write_names(tmp_path, 'entities.tsv', 'relations.tsv')
  (tmp_path / file).unlink()
  os.mkfifo(tmp_path / file)
  with pytest.raises(errors.MedjaxError, match=f'{file} is a pipe, not a file'):
    imports.import_model(tmp_path, 'dglke', graph, tmp_path / 'out')
