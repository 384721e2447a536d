"""The paired bootstrap, beside the interval that the spread of differences gives, and what it refuses."""

import json

import numpy as np
import pytest

from benchmarks import paired

TRIPLES = np.arange(1200).reshape(400, 3)


def write(folder, seed, widths, better=0.0):
  """Ranks of a run: alike for the same triple in all runs but for noise of its own."""
  draw = np.random.default_rng(seed)
  ease = np.random.default_rng(0).uniform(0, 3, (2, len(TRIPLES), 1))
  ranks = np.round(np.exp(ease + draw.normal(0, 0.2, (2, len(TRIPLES), len(widths))) - better)) + 1
  folder.mkdir()
  np.savez_compressed(folder / paired.RANKS, triples=TRIPLES, ranks=ranks.astype(np.float32), widths=np.array(widths))
  return folder, (1 / ranks).mean(0)


def test_an_interval_is_that_of_the_differences(tmp_path, capsys):
  crops, ours = write(tmp_path / 'crops', 1, [10, 20, 40], 0.1)
  same, equal = write(tmp_path / 'same', 2, [10], 0.1)
  worse, theirs = write(tmp_path / 'worse', 3, [40])
  again, also = write(tmp_path / 'again', 4, [40])
  paired.main([f'--workdir={crops}', f'--beside={same},{worse},{again}', f'--output={tmp_path}'])
  rows = json.loads((tmp_path / 'paired.json').read_text())['rows']
  assert [(row['width'], len(row['direct seeds'])) for row in rows] == [(10, 1), (40, 2)]
  for row, left, right in zip(rows, (ours[:, 0], ours[:, 2]), (equal[:, 0], (theirs + also)[:, 0] / 2)):
    half = 1.96 * (left - right).std(ddof=1) / np.sqrt(len(left))
    assert row['crop'] == pytest.approx(left.mean()) and row['difference'] == pytest.approx((left - right).mean())
    assert row['high'] - row['low'] == pytest.approx(2 * half, rel=0.1)
    assert (row['high'] + row['low']) / 2 == pytest.approx(row['difference'], abs=half / 4)
  text = capsys.readouterr().out
  assert [line.split()[7] for line in text.splitlines() if line.startswith(('10 ', '40 '))] == ['neither', 'crop']


def test_seeds_of_crops_are_averaged_triple_by_triple(tmp_path, capsys):
  runs = [write(tmp_path / f'seed-{seed}', seed, [10, 20], better) for seed, better in ((1, 0.0), (2, 0.5))]
  direct, theirs = write(tmp_path / 'direct', 3, [20])
  paired.main([f'--workdir={runs[0][0]},{runs[1][0]}', f'--beside={direct}', f'--output={tmp_path}'])
  (row,) = json.loads((tmp_path / 'paired.json').read_text())['rows']
  means = [reciprocal[:, 1].mean() for _, reciprocal in runs]
  assert row['crop seeds'] == pytest.approx(means) and row['crop'] == pytest.approx(sum(means) / 2)
  assert row['difference'] == pytest.approx(sum(means) / 2 - theirs.mean())
  assert f'2, {max(means) - min(means):.4f} apart' in capsys.readouterr().out


def test_other_triples_and_missing_ranks_are_refused(tmp_path, capsys):
  crops, _ = write(tmp_path / 'crops', 1, [10])
  other, _ = write(tmp_path / 'other', 1, [20])
  for beside, said in ((other, 'has a width of'), (tmp_path, '--mode=evaluate --workdir='), ('', '--beside')):
    with pytest.raises(SystemExit):
      paired.main([f'--workdir={crops}', f'--beside={beside}'])
    assert said in capsys.readouterr().err
  with np.load(other / paired.RANKS) as found:
    np.savez_compressed(other / paired.RANKS, **{**found, 'triples': TRIPLES[::-1]})
  with pytest.raises(SystemExit):
    paired.main([f'--workdir={crops}', f'--beside={other}'])
  assert 'the same triples' in capsys.readouterr().err


def test_a_study_stands_for_the_runs_that_it_judged_on_test(tmp_path):
  crops, _ = write(tmp_path / 'crops', 1, [10, 20])
  (tmp_path / 'study' / 'direct-20').mkdir(parents=True)
  for seed in (0, 1):
    write(tmp_path / 'study' / 'direct-20' / f'a=1,b=2-seed{seed}', 2 + seed, [20])
  rows = [
    f'direct-20,"a=1,b={b}",{seed},{split},20' for b, seed, split in ((2, 0, 'test'), (2, 1, 'test'), (3, 0, 'valid'))
  ]
  (tmp_path / 'study' / 'study.csv').write_text('\n'.join(['arm,point,seed,split,width', *rows]) + '\n')
  paired.main([f'--workdir={crops}', f'--beside={tmp_path / "study"}', f'--output={tmp_path}'])
  (row,) = json.loads((tmp_path / 'paired.json').read_text())['rows']
  assert row['width'] == 20 and len(row['direct seeds']) == 2
