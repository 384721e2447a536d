"""Which width to take: shares of the full MRR, their intervals, and what is said of them."""

import numpy as np
import pandas as pd
import pytest

from medjax.report import choice


def test_the_interval_is_that_of_resampled_triples():
  draw = np.random.default_rng(0)
  full = draw.random(400)
  each = np.stack([full * draw.uniform(0.6, 1.0, 400), full], 1)
  share, half = choice.kept(each)
  assert share[0] == pytest.approx(each[:, 0].mean() / each[:, 1].mean()) and share[1] == 1 and half[1] == 0
  picks = draw.integers(0, 400, (4000, 400))
  resampled = each[picks, 0].mean(1) / each[picks, 1].mean(1)
  assert half[0] == pytest.approx(1.96 * resampled.std(), rel=0.06)


def frame_of(mrr, half):
  ranks = np.stack([np.full((2, 50), 1 / value) for value in mrr], -1)
  frame = choice.table(ranks, [10 * 2**i for i in range(len(mrr))], [100 * 2**i for i in range(len(mrr))])
  return frame.assign(kept_interval=half)


def test_the_narrowest_is_sure_to_keep_its_share():
  frame = frame_of([0.2, 0.39, 0.4], [0.0, 0.03, 0.0])
  assert frame['bytes'].tolist() == [400, 800, 1600] and frame['kept'].round(3).tolist() == [0.5, 0.975, 1.0]
  assert choice.narrowest(frame, 0.5)['width'] == 10
  assert choice.narrowest(frame, 0.94)['width'] == 20
  assert choice.narrowest(frame, 0.95)['width'] == 40  # 97.5% - 3% is less
  assert 'width 20 is the narrowest that is sure to keep 94% of the MRR of width 40: 97.5%' in choice.sentence(
    frame, 0.94
  )
  assert choice.sentence(frame, 0.95).startswith('no width below 40')


def test_the_best_within_a_limit():
  frame = frame_of([0.3, 0.25, 0.4], 0.0)
  assert choice.best_under(frame, 'bytes', 1000)['width'] == 10
  assert choice.best_under(frame, 'bytes', 2000)['width'] == 40
  assert choice.best_under(frame, 'bytes', 10) is None


def test_what_is_saved_is_read(tmp_path):
  frame = frame_of([0.3, 0.4], 0.01)
  choice.save(tmp_path, frame, 'title')
  pd.testing.assert_frame_equal(choice.read(tmp_path), frame)
  assert (tmp_path / 'widths.png').stat().st_size > 5000 and choice.read(tmp_path / 'none') is None
