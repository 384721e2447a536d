"""Extraction against loops that leave out, and cut, by hand."""

import dataclasses
import json

import jax
import numpy as np
import pandas as pd
import pytest

import medjax
from medjax import scores
from medjax.core import rows as rows_lib
from medjax.core import widths as widths_lib
from medjax.data.graph import Graph
from medjax.experiments import commands, evaluating, extraction
from medjax.kge import batches as batches_lib
from medjax.saved import artifact
from medjax.scores import contract
from medjax.serve import model as model_lib

NAMES = sorted(scores.REGISTRY)
ENTITIES, RELATIONS, WIDTH = 20, 3, 8


def toy(name, widths=(4, WIDTH), seed=0):
  """A `Model` with random tables on random triples."""
  random = np.random.default_rng(seed)
  facts = np.unique(np.stack([random.integers(0, n, 150) for n in (ENTITIES, RELATIONS, ENTITIES)], 1), axis=0)
  facts = random.permutation(facts.astype(np.int32))
  entities, relations = tuple(f'e{i:02}' for i in range(ENTITIES)), tuple(f'r{i}' for i in range(RELATIONS))
  graph = Graph('toy', entities, relations, facts[:60], facts[60:95], facts[95:], entities, relations)
  constants = {'init_range': 1.0, 'init_scale': 1.0, 'phase_scale': 16.0}
  score = scores.make(name, constants)
  params = jax.tree.map(np.asarray, score.init(jax.random.key(seed), ENTITIES, RELATIONS, WIDTH))
  offset = (3.0,) * len(widths) if score.margin else (0.0,) * len(widths)
  description = artifact.Description(
    name, constants, widths, widths_lib.Widths(widths, score.components).block, offset, (1.5,) * len(widths), 'toy'
  )
  return model_lib.Model(description, params, graph)


def drop(model, component):
  """The model without a component, cut out by hand."""
  params = jax.tree.map(lambda leaf: np.delete(leaf, component, -1), model.params)
  width = WIDTH - model.widths.components
  one = dataclasses.replace(
    model.description,
    widths=(width,),
    block=0,
    offset=model.description.offset[-1:],
    scale=model.description.scale[-1:],
  )
  return model_lib.Model(one, params, model.graph)


def loss_by_hand(model, batches, temperature):
  """Self-adversarial log-sigmoid loss (Sun et al., 2019, eq. 5), triple by triple, in float64."""
  entities, relations = model.entities.identifiers, model.relations.identifiers
  score = lambda head, relation, tail: model.score(entities[head], relations[relation], entities[tail])
  softplus = lambda x: np.logaddexp(0, x)
  total = []
  for batch in batches:
    for i, (anchor, relation, answer) in enumerate(zip(batch.anchor, batch.relation, batch.answer)):
      triple = lambda entity: (anchor, relation, entity) if i < len(batch.anchor) // 2 else (entity, relation, anchor)
      ask = lambda ids: np.array([score(*triple(entity)) for entity in ids], np.float64)
      wrong = ask(batch.negatives[i][batch.valid[i]])
      weights = np.exp(temperature * (wrong - wrong.max()))
      total.append((softplus(-ask([answer])[0]) + (weights * softplus(wrong)).sum() / weights.sum()) / 2)
  return np.mean(total)


@pytest.mark.parametrize('name', NAMES)
def test_scores_without_a_component_are_those_of_the_tables_without_it(name):
  model = toy(name)
  score, triples = model.description.make_score(), model.graph.test[:7]
  head, relation, tail = triples.T
  query = score.tail_query(
    rows_lib.gather(jax.tree.map(jax.numpy.asarray, model.params['entity']), head),
    rows_lib.gather(jax.tree.map(jax.numpy.asarray, model.params['relation']), relation),
  )
  candidate = rows_lib.gather(jax.tree.map(jax.numpy.asarray, model.params['entity']), tail)
  found = contract.leave_one_out(score, query, candidate)
  plain = score._replace(left_out=None)  # the path of scores that are no sums gives the same
  np.testing.assert_allclose(found, contract.leave_one_out(plain, query, candidate), atol=2e-5)
  for component in range(WIDTH // score.components):
    small = drop(model, component)
    expected = scores.score_triples(score, jax.tree.map(jax.numpy.asarray, small.params), triples, small.widths)
    np.testing.assert_allclose(found[:, component], expected[:, 0], atol=2e-5)


@pytest.mark.parametrize('name', ['transe', 'rotate', 'complex', 'pairre', 'simple'])
def test_importance_by_loss_is_the_change_of_a_loss_computed_by_hand(name, monkeypatch):
  monkeypatch.setattr(extraction, 'BATCH', 4)
  monkeypatch.setattr(extraction, 'TRIPLES', 8)
  monkeypatch.setattr(extraction, 'NEGATIVES', 5)
  extraction.batch_losses.clear_cache()
  model, temperature = toy(name), 0.7
  facts = np.concatenate([model.graph.valid, model.graph.train])
  batches = [
    jax.tree.map(
      np.asarray, batches_lib.sample(jax.random.key(3), step, jax.numpy.asarray(model.graph.valid), ENTITIES, 4, 5)
    )
    for step in range(2)
  ]
  for i, batch in enumerate(batches):  # the mask by hand: what is known to be true does not count as wrong
    columns = [(0, 1, 2) if row < 2 else (2, 1, 0) for row in range(4)]
    true = {tuple(fact) for fact in facts.tolist()}
    valid = np.array(
      [
        [tuple(np.array([anchor, relation, entity])[list(order)].tolist()) not in true for entity in wrong]
        for anchor, relation, wrong, order in zip(batch.anchor, batch.relation, batch.negatives, columns)
      ]
    )
    batches[i] = batch._replace(valid=valid)
  assert not all(batch.valid.all() for batch in batches)
  full = loss_by_hand(model, batches, temperature)
  expected = [
    loss_by_hand(drop(model, component), batches, temperature) - full
    for component in range(extraction.num_components(model))
  ]
  found = extraction.importance(model, 'loss', 3, temperature)
  np.testing.assert_allclose(found, expected, atol=1e-5)


def test_importance_by_value_of_a_complex_score_is_the_modulus_by_hand():
  model = toy('complex')
  modulus = lambda table: np.mean(
    [[abs(complex(a, b)) for a, b in zip(re, im)] for re, im in zip(table['re'], table['im'])], 0
  )
  expected = modulus(model.params['entity']) + modulus(model.params['relation'])
  np.testing.assert_allclose(extraction.importance(model, 'value'), expected, rtol=1e-6)


def test_a_phase_says_nothing_of_importance_by_value():
  model = toy('rotate')
  turned = dataclasses.replace(
    model, params=model.params | {'relation': {'phase': 9 * model.params['relation']['phase']}}
  )
  np.testing.assert_array_equal(extraction.by_value(turned.params), extraction.by_value(model.params))


def test_the_size_of_a_change_counts():
  assert extraction.ranked(np.array([0.1, -0.3, 0.2, -0.2])).tolist() == [1, 2, 3, 0]


def test_a_random_order_is_the_seeds():
  model = toy('transe')
  orders = [extraction.ranked(extraction.importance(model, 'random', seed)).tolist() for seed in (0, 0, 1)]
  assert orders[0] == orders[1] != orders[2] and sorted(orders[2]) == list(range(WIDTH))


@pytest.mark.parametrize('name', NAMES)
def test_the_extracted_model_is_cut_by_hand_and_whole_scores_the_same(name):
  model = toy(name)
  order = extraction.ranked(extraction.importance(model, 'random', 5))
  found = extraction.extract(model, order, (2, 4, WIDTH))
  graph = model.graph
  name = lambda names, ids: [names[i] for i in ids]
  heads, relations, tails = graph.test.T
  of_test = name(graph.entities, heads), name(graph.relations, relations), name(graph.entities, tails)
  ask = lambda model: model.score(*of_test)
  np.testing.assert_allclose(ask(found), ask(model), rtol=1e-5, atol=1e-5)
  for width in (2, 4):
    kept = order[: width // model.widths.components]
    by_hand = jax.tree.map(lambda leaf: np.stack([leaf[:, j] for j in kept], -1), model.params)
    jax.tree.map(np.testing.assert_array_equal, found.crop(width).params, by_hand)


@pytest.mark.parametrize('name', ['rotate', 'pairre'])
def test_all_widths_in_one_pass_rank_as_every_extracted_model_alone(name, tmp_path):
  model = toy(name)
  few = dataclasses.replace(model, graph=dataclasses.replace(model.graph, test=model.graph.test[:4]))
  order = extraction.ranked(extraction.by_loss(model))
  for folder, widths in (('all', (2, 4, 6)), ('alone', (4,))):
    extraction.extract(few, order, widths).save(tmp_path / folder)
  together, alone = (evaluating.evaluate(tmp_path / folder) for folder in ('all', 'alone'))
  pd.testing.assert_frame_equal(alone, together[1:2].reset_index(drop=True))


@pytest.mark.parametrize('by', ['loss', 'value', 'random'])
def test_a_run_is_extracted_and_evaluated(trained, tmp_path, by):
  results = commands.extract(trained, by, None, tmp_path / 'out', seed=1)
  assert results['width'].tolist() == [4, 8, 12]
  assert results['mrr'].iloc[-1] == pytest.approx(pd.read_csv(trained / 'results.csv')['mrr'].iloc[-1], abs=1e-6)
  assert medjax.load(tmp_path / 'out', width=8).width == 8
  record = json.loads((tmp_path / 'out' / 'extraction.json').read_text())
  cost = json.loads((tmp_path / 'out' / 'cost.json').read_text())
  assert record['method'] == extraction.METHODS[by] and record['config']['model.score'] == 'rotate'
  assert cost['steps'] == 40 and cost['extraction_seconds'] >= 0
  before = (tmp_path / 'out' / 'results.csv').read_bytes()
  evaluating.evaluate(tmp_path / 'out')
  assert (tmp_path / 'out' / 'results.csv').read_bytes() == before
