"""The synthetic shop: its numbers, its bytes, and that labels and purchases tell of each other."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from medjax import errors
from medjax.applications import ecommerce, market, split
from medjax.applications.market import Market
from medjax.data import triples


def read(folder, name):
  return pd.read_csv(folder / f'{name}.tsv', sep='\t', dtype=str)


@pytest.fixture(scope='module')
def written(tmp_path_factory):
  folder = tmp_path_factory.mktemp('market')
  size = ecommerce.write(Market(2000, held_out=150), folder)
  return folder, size


def test_the_published_proportions():
  assert (Market().users, Market().triples) == (7_000_000, 50_700_000)
  assert Market(700_000).triples == 5_070_000 and Market(1000).items == 500
  for changed in ({'users': 999}, {'held_out': -1}):
    with pytest.raises(errors.ConfigError, match='take 1000 users or more'):
      Market(**changed)


def test_every_triple_is_another_one_and_as_many_as_said(written):
  folder, size = written
  parts = {name: read(folder, name) for name in dict.fromkeys((*ecommerce.SPLITS, *ecommerce.LABEL_FILES))}
  every = pd.concat(parts.values())
  assert len(every) == Market(2000).triples and not every.duplicated().any()
  assert size == sum(path.stat().st_size for path in folder.iterdir())
  assert len(parts['valid']) == len(parts['test']) == 150 and set(parts['test']['relation']) == {'bought'}
  assert not set(parts['valid']['head']) ^ set(parts['test']['head'])
  hidden = [set(parts[name]['head']) for name in ecommerce.LABEL_FILES[1:]]
  assert not hidden[0] & hidden[1] and max(map(len, hidden)) <= 150
  train = parts['train']
  assert not train['relation'][train['head'].isin(hidden[0] | hidden[1])].isin(market.LABELS).any()
  asked = pd.concat([parts[name] for name in parts if name != 'train'])
  assert {*asked['head'], *asked['tail']} <= {*train['head'], *train['tail']}
  assert train['head'].str.startswith('user:').sum() and len(set(every['head']) - set(train['head'])) == 0
  assert sum(name.startswith('user:') for name in set(train['head'])) == 2000


def test_a_graph_is_read_of_it(written):
  graph = triples.read_folder(written[0])
  kinds = pd.Series(graph.entities).str.partition(':')[0].value_counts()
  assert {kind: kinds[kind] for kind in ('user', 'item', 'category')} == {'user': 2000, 'item': 500, 'category': 16}
  assert not graph.unseen_entities().any() and not [note for note in graph.notes if 'duplicate' in note]


def test_the_same_fields_give_the_same_bytes(written, tmp_path, monkeypatch):
  digest = lambda folder: {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
  ecommerce.write(Market(2000, held_out=150), tmp_path / 'again')
  ecommerce.write(Market(2000, held_out=150, seed=1), tmp_path / 'other')
  assert digest(tmp_path / 'again') == digest(written[0])
  assert digest(tmp_path / 'other')['train.tsv'] != digest(written[0])['train.tsv']


def test_chunks_add_up(monkeypatch):
  monkeypatch.setattr(market, 'CHUNK', 700)
  whole = Market(2000, held_out=100)
  chunks = list(market.chunks(whole))
  assert [chunk.first for chunk in chunks] == [0, 700, 1400]
  of_users = sum(len(chunk.items) + sum(int((x >= 0).sum()) for x in chunk.attributes.values()) for chunk in chunks)
  assert of_users + sum(len(fact.head[1]) for fact in market.facts(whole)) == whole.triples
  assert [sum(int((chunk.places == i).sum()) for chunk in chunks) for i in (1, 2)] == [100, 100]
  assert all(set(chunk.users) == set(range(chunk.first, chunk.first + len(chunk.labelled))) for chunk in chunks)


def test_draws_have_their_chances():
  draw = np.random.RandomState(0)
  chances = np.array([[0.1, 0.0, 0.9], [0.5, 0.25, 0.25]])
  group = draw.randint(2, size=40_000)
  values = market.pick(chances, group, draw.random_sample(len(group)))
  found = np.stack([np.bincount(values[group == g], minlength=3) / (group == g).sum() for g in (0, 1)])
  np.testing.assert_allclose(found, chances, atol=0.01)
  ranks = market.power_law(draw.random_sample(200_000), 100)
  times = np.bincount(ranks, minlength=101)
  assert times[100] == 0 and times.min() >= 0 and ranks.min() == 0
  assert times[9] / times[89] == pytest.approx((90.5 / 10.5) ** market.POPULARITY, rel=0.15)
  assert market.power_law(np.array([0.0, 1 - 1e-16]), 1).tolist() == [0, 0]


def test_lines_are_those_of_the_names():
  fact = ('user', np.array([3, 1999])), 'bought', ('item', np.array([7, 499]))
  text = ecommerce.lines(Market(2000), *fact).tobytes().decode()
  assert text == 'user:0003\tbought\titem:007\nuser:1999\tbought\titem:499\n'
  assert ecommerce.names(Market(2000), 'item', np.array([7])) == ['item:007']


def test_labels_and_purchases_tell_of_each_other():
  """By counts alone: the age of a user from the categories looked at, and a purchase from the taste that they show."""
  made = ecommerce.make(Market(6000))
  parts = split.make(made)
  category = made.facts[made.facts['relation'] == 'category'].set_index('head')['tail']
  seen = made.interactions.assign(category=made.interactions['item'].map(category))
  counts = pd.crosstab(seen['user'], seen['category'])
  for label in ('age_group', 'gender'):
    known = made.users[label].dropna()
    train, test = (known[known.index.isin(parts.users[part])] for part in ('train', 'test'))
    each = counts.loc[train.index].groupby(train).sum() + 1
    score = counts.loc[test.index].to_numpy() @ np.log(each.div(each.sum(axis=1), axis=0)).T.to_numpy()
    score += np.log(train.value_counts().reindex(each.index)).to_numpy()
    right = (each.index.to_numpy()[score.argmax(axis=1)] == test.to_numpy()).mean()
    assert right > (test == train.mode()[0]).mean() + 0.05, label
  # a user's last purchase is of a category that the user looked at before far more often than another user's is
  before = parts.seen['test'].assign(category=parts.seen['test']['item'].map(category))
  had = set(zip(before['user'], before['category']))
  asked = parts.likes['test'].assign(category=parts.likes['test']['item'].map(category))
  own = np.mean([pair in had for pair in zip(asked['user'], asked['category'])])
  others = np.mean([pair in had for pair in zip(asked['user'], np.roll(asked['category'], 1))])
  assert own > others + 0.1
