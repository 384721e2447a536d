"""Labels of users from features whose answers are known."""

import numpy as np
import pytest

from medjax.applications import ecommerce, graph, labelling, market, split


@pytest.fixture(scope='module')
def bazaar():
  return ecommerce.make(market.Market(1000))


@pytest.fixture(scope='module')
def parts(bazaar):
  return split.make(bazaar)


def values(results):
  return {one.metric: one.value for one in results}


def test_labels_are_those_of_the_users_of_each_part(bazaar, parts):
  labels = labelling.labels_of(bazaar, parts, 'gender')
  for part, rows in labels.rows.items():
    users = bazaar.users.iloc[rows]
    assert set(users.index) <= set(parts.users[part]) and len(users) == len(labels.values[part]) > 0
    assert [bazaar.labels['gender'][i] for i in labels.values[part]] == users['gender'].tolist()
  assert labels.kinds == 2


def test_features_that_tell_the_label_are_right_and_noise_is_not(bazaar, parts):
  noise = np.random.RandomState(0).randn(len(bazaar.users), 6).astype(np.float32)
  gender = np.eye(2)[(bazaar.users['gender'] == bazaar.labels['gender'][1]).astype(int)]
  told = values(labelling.evaluate(bazaar, parts, np.concatenate([noise, gender], 1).astype(np.float32)))
  assert told['gender accuracy'] == 1 and told['gender macro F1'] == 1
  assert told['occupation accuracy'] < 0.6
  names = ('age_group', 'gender', 'occupation')
  assert told['mean accuracy'] == pytest.approx(np.mean([told[f'{name} accuracy'] for name in names]))


def test_the_majority_is_counted_among_train_users_alone(bazaar, parts):
  most = bazaar.users.loc[parts.users['train'], 'occupation'].mode()[0]
  asked = bazaar.users.loc[parts.users['test'], 'occupation'].dropna()
  found = {one.metric: one for one in labelling.majority(bazaar, parts)}['occupation accuracy']
  assert found.value == pytest.approx((asked == most).mean())
  assert found.spread == pytest.approx((found.value * (1 - found.value) / len(asked)) ** 0.5, rel=0.2)


def test_the_regression_is_that_of_scikit_learn():
  """LogisticRegression(C=1 / (n * strength)) of scikit-learn 1.9.1 minimises the same sum."""
  draw = np.random.RandomState(1)
  features, answers = draw.randn(40, 3).astype(np.float32), draw.randint(3, size=40)
  weights, bias = labelling.fit(features, answers, 0.1, 3)
  loss = float(labelling.cross_entropy((weights, bias), features, answers))
  assert loss == pytest.approx(1.0036269806, abs=1e-5)
  expected = np.array([[-0.0124, 0.0112, 0.0013], [0.1549, 0.2024, -0.3573], [-0.1023, -0.198, 0.3004]])
  np.testing.assert_allclose(weights, expected, atol=2e-3)


def test_liked_items_are_the_singular_vectors(bazaar, parts):
  found = labelling.liked_items(bazaar, parts, (4, 8))
  assert found[4].shape == (1000, 4) and found[8].shape == (1000, 8)
  np.testing.assert_array_equal(found[8][:, :4], found[4])
  table = graph.matrix(bazaar, parts.likes['train']).toarray().astype(float)
  sizes = np.linalg.svd(table, compute_uv=False)[:8]
  np.testing.assert_allclose(np.linalg.norm(found[8], axis=0), sizes, rtol=1e-4)
