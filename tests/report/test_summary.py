"""Tables of any set of runs: grouping, seeds, bold, published figures, extrapolated costs."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from medjax import config as config_lib
from medjax import errors
from medjax.report import collect, efficiency, quality, summary, tables
from medjax.saved import workdir as workdir_lib


@pytest.fixture
def save(tmp_path):
  """A function that saves a run's results, configuration and cost below a folder, which it returns."""

  def save(name, widths, mrr, seconds=100.0, steps=1000, **fields):
    folder = tmp_path / 'runs' / name
    folder.mkdir(parents=True)
    config = config_lib.Config()
    config.data.name = 'wn18rr'
    config.model.widths = ','.join(map(str, widths))
    for field, value in fields.items():
      config_lib.put(config, field.replace('__', '.'), value)
    workdir_lib.write_config(folder, config)
    hits = [value + 0.1 for value in mrr]
    pd.DataFrame({'width': widths, 'mrr': mrr, 'hits10': hits}).to_csv(folder / 'results.csv', index=False)
    (folder / 'cost.json').write_text(json.dumps({'steps': steps, 'train_seconds': seconds}))
    return tmp_path / 'runs'

  return save


@pytest.fixture
def root(save):
  """Direct training of two of three widths, one MED of two seeds, one with another learning rate."""
  save('dt-10', [10], [0.1], seconds=10.0, objective__name='direct')
  save('dt-40', [40], [0.5], seconds=40.0, objective__name='direct')
  save('med/a', [10, 20, 40], [0.2, 0.3, 0.4])
  save('med/b', [10, 20, 40], [0.3, 0.3, 0.45], train__seed=1)
  return save('med-fast', [10, 20, 40], [0.2, 0.31, 0.4], train__learning_rate=0.01)


def test_runs_are_grouped_over_seeds_and_the_widths_of_direct_training(root):
  groups = collect.grouped(collect.collect(root))
  assert list(groups) == [('wn18rr', 'rotate')]
  found = {row.label: [run.name for run in row.runs] for row in groups['wn18rr', 'rotate']}
  assert found == {'DT': ['dt-10', 'dt-40'], 'MED': ['med/a', 'med/b'], 'MED learning_rate=0.01': ['med-fast']}


def test_rates_and_margins_of_their_widths_tell_no_methods_apart(save):
  save('dt-10', [10], [0.1], objective__name='direct', model__gamma=2.0, train__learning_rate=0.04)
  save('dt-40', [40], [0.5], objective__name='direct', model__gamma=5.0, train__learning_rate=0.02)
  root = save('dt-80', [80], [0.6], objective__name='direct', model__gamma=5.0, train__learning_rate=0.02)
  label = lambda: [row.label for rows in collect.grouped(collect.collect(root)).values() for row in rows]
  assert label() == ['DT']
  save('wide-margin-40', [40], [0.4], objective__name='direct', model__gamma=9.0, train__learning_rate=0.02)
  assert label() != ['DT']  # a width with two margins


def test_the_table_has_means_half_ranges_and_the_best_in_bold(root):
  ((group, rows),) = collect.grouped(collect.collect(root)).items()
  header, body = quality.table(*group, rows)
  cells = {row[0]: row[1:] for row in body}
  assert header == ['method', '10', '20', '40', 'remarks']
  assert cells['DT'] == ['0.100 (0.200)', '', '**0.500** (**0.600**)', '']
  assert cells['MED'] == [
    '**0.250 ± 0.050** (**0.350 ± 0.050**)',
    '0.300 ± 0.000 (0.400 ± 0.000)',
    '0.425 ± 0.025 (0.525 ± 0.025)',
    '2 seeds',
  ]
  assert cells['MED learning_rate=0.01'][1] == '**0.310** (**0.410**)'


def test_published_figures_stand_beside_with_their_source(root):
  ((group, rows),) = collect.grouped(collect.collect(root)).items()
  cells = {row[0]: row[1:] for row in quality.table(*group, rows)[1]}
  assert cells['DualDE, MED paper (secondary source)'] == [
    '0.179 (0.440)',
    '',
    '0.441 (0.525)',
    'published; at 160: 0.465 (0.560); at 640: 0.476 (0.576)',
  ]
  assert cells['DT, LibKGE'][-1] == 'published; at an unstated width: 0.478 (0.553)'
  frame = quality.long_table({group: rows})
  assert set(frame['source']) > {'measured', 'LibKGE', 'RotatE paper'}
  assert not frame[frame['source'] == 'measured'][['mrr', 'hits10']].isna().any(axis=None)


def test_every_published_figure_is_a_share_and_has_a_source():
  frame = pd.read_csv(quality.PUBLISHED)
  values = frame[['mrr', 'hits1', 'hits10']].to_numpy()
  assert len(frame) > 30 and not frame['source'].isna().any()
  assert np.nanmin(values) > 0 and np.nanmax(values) < 1


def test_a_missing_width_is_interpolated_and_marked(root):
  groups = collect.grouped(collect.collect(root))
  costs = efficiency.long_table(groups).set_index('method')
  direct = costs.loc['DT']  # 10 ms per step at 10 and 40 at 40, so 20 at 20: 10 + 20 + 40 seconds of 1,000 steps
  assert (direct['kind'], direct['basis']) == ('extrapolated', '10, 40')
  assert direct['seconds'] == pytest.approx(70.0) and direct['steps'] == 3000 and direct['trainings'] == 3
  assert costs.loc['MED', ['kind', 'seconds', 'widths', 'trainings']].tolist() == ['measured', 100.0, 3, 1]
  assert costs.loc['MED', 'ratio'] == pytest.approx(100 / 70, abs=1e-4)
  text = {row[0]: row for row in efficiency.table(costs.reset_index())[1]}
  assert text['DT'][4] == '≈ 1.2 min' and text['MED'][6] == '≈ 1.43' and text['MED'][4] == '1.7 min'


def test_all_widths_measured_are_no_extrapolation(root, save):
  save('dt-20', [20], [0.3], seconds=25.0, objective__name='direct')
  costs = efficiency.long_table(collect.grouped(collect.collect(root))).set_index('method')
  assert costs.loc['DT', ['kind', 'seconds']].tolist() == ['measured', 75.0]


def test_one_width_alone_is_not_extrapolated(save):
  save('dt', [10], [0.1], objective__name='direct')
  root = save('med', [10, 20], [0.2, 0.3])
  assert efficiency.long_table(collect.grouped(collect.collect(root)))['method'].tolist() == ['MED']


def test_a_line_goes_on_beyond_its_ends_and_never_below_zero():
  assert efficiency.line(30, [10, 20], [1.0, 2.0]) == pytest.approx(3.0)
  assert efficiency.line(1, [10, 20], [1.0, 3.0]) == 0.0


def test_repeats_of_a_seed_get_rows_of_their_own(save):
  save('one', [10, 20], [0.1, 0.2])
  root = save('two', [10, 20], [0.3, 0.4])
  (rows,) = collect.grouped(collect.collect(root)).values()
  assert [len(row.runs) for row in rows] == [1, 1]


def test_an_extracted_model_belongs_to_the_group_of_its_run(root):
  folder = root / 'ext'
  folder.mkdir()
  fields = config_lib.flatten(workdir_lib.read_config(root / 'dt-40'))
  (folder / 'extraction.json').write_text(json.dumps({'method': 'Ext-L', 'config': fields}))
  (folder / 'cost.json').write_text(json.dumps({'steps': 1000, 'train_seconds': 40.0, 'extraction_seconds': 5.0}))
  pd.DataFrame({'width': [10, 40], 'mrr': [0.2, 0.5], 'hits10': [0.3, 0.6]}).to_csv(folder / 'results.csv', index=False)
  groups = collect.grouped(collect.collect(root))
  assert [row.label for row in groups['wn18rr', 'rotate']][:2] == ['DT', 'Ext-L']
  costs = efficiency.long_table(groups).set_index('method')
  assert costs.loc['Ext-L', ['seconds', 'widths']].tolist() == [45.0, 2]
  assert costs.loc['Ext-L', 'ratio'] == pytest.approx(45 / 50)  # against direct training of its own two widths


def test_the_report_is_the_same_bytes_again(root, tmp_path):
  for name in ('one', 'two'):
    (tmp_path / name).mkdir()
    summary.write(collect.grouped(collect.collect(root)), tmp_path / name, figures=[('A figure', 'a.png')])
  files = ('report.md', 'report.csv', 'report.tex', 'efficiency.csv')
  assert all((tmp_path / 'one' / file).read_bytes() == (tmp_path / 'two' / file).read_bytes() for file in files)
  assert '![A figure](a.png)' in (tmp_path / 'one' / 'report.md').read_text()


def test_a_folder_without_runs_and_a_damaged_run_are_named(tmp_path, root):
  with pytest.raises(errors.NothingSaved, match='no saved results below'):
    collect.collect(tmp_path / 'nowhere')
  for values in ({'train_seconds': {}}, {'steps': -1}, {'steps': '3'}, {'command': 1}, {'teacher': [{'hash': 'a'}]}):
    (root / 'dt-10' / 'cost.json').write_text(json.dumps({'steps': 3, 'train_seconds': 1.5} | values))
    with pytest.raises(errors.ArtifactError, match='dt-10/cost.json is damaged'):
      collect.collect(root)
  (root / 'dt-10' / 'cost.json').write_text('{')
  with pytest.raises(errors.ArtifactError, match='dt-10/cost.json is damaged'):
    collect.collect(root)


def test_latex_escapes_and_is_bold_where_markdown_is():
  text = tables.latex(['a_b', '%'], [['**0.5 ± 0.1** (0.6)', '≈ 1 & 2']])
  assert r'a\_b & \%' in text and r'\textbf{0.5 $\pm$ 0.1} (0.6) & $\approx$ 1 \& 2 \\' in text
  assert re.fullmatch(r'\\begin\{tabular\}\{lc\}.*\\end\{tabular\}', text, re.DOTALL)
