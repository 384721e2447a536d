import json
import pathlib
import re

import pandas as pd
import pytest

from medjax import config as config_lib
from medjax.report import document, plots, quality, studies
from medjax.saved import workdir as workdir_lib

DOCS = pathlib.Path(__file__).parents[2] / 'docs'


def save_run(folder, widths, mrr):
  folder.mkdir(parents=True)
  results = pd.DataFrame({'width': widths, 'mrr': mrr, 'hits10': [m + 0.1 for m in mrr]})
  results.to_csv(folder / 'results.csv', index=False)
  (folder / 'cost.json').write_text(
    json.dumps(
      {
        'command': f'python launch.py --workdir={folder.name}',
        'steps': 8000,
        'train_seconds': 90,
        'peak_memory_mib': 1234,
        'hardware': 'one core',
      }
    )
  )


def test_blocks_are_filled_and_filled_anew(tmp_path):
  save_run(tmp_path / 'runs' / 'a-160', [10, 15, 160], [0.1, 0.2, 0.3])
  save_run(tmp_path / 'runs' / 'a-40', [40], [0.25])
  page = tmp_path / 'page.md'
  blocks = ('runs: runs/a-*', 'commands: runs/a-*', 'figure: runs/a-* figures/a.png', 'text: said.txt')
  page.write_text('before\n' + ''.join(f'<!-- {block} -->\nold\n<!-- end -->\n' for block in blocks) + 'after\n')
  (tmp_path / 'said.txt').write_text('hello\n')
  document.fill(page)
  once = page.read_text()
  lines = once.splitlines()
  assert lines[2] == '| run | 10 | 40 | 160 | steps | training | memory |'
  assert lines[4] == '| a-40 |  | 0.250 (0.350) |  | 8,000 | 1.5 min | 1,234 MiB |'
  assert lines[5] == '| a-160 | 0.100 (0.200) |  | 0.300 (0.400) | 8,000 | 1.5 min | 1,234 MiB |'
  assert 'python launch.py --workdir=a-40\npython launch.py --workdir=a-160\n' in once and 'Hardware: one core.' in once
  assert 'old' not in once and lines[0] == 'before' and lines[-1] == 'after'
  assert '```\nhello\n```' in once
  assert (tmp_path / 'figures' / 'a.png').read_bytes().startswith(b'\x89PNG')
  document.fill(page)
  assert page.read_text() == once


def test_a_saved_table_is_shown_as_it_is_written_and_several_globs_follow_each_other(tmp_path):
  (tmp_path / 'said.csv').write_text('width,answered at 10,share\n10,,0.50\n640,yes,7\n')
  save_run(tmp_path / 'a', [40], [0.25])
  save_run(tmp_path / 'b', [40], [0.5])
  page = tmp_path / 'page.md'
  page.write_text('<!-- table: said.csv -->\n<!-- end -->\n<!-- runs: b a -->\n<!-- end -->\n')
  document.fill(page)
  lines = page.read_text().splitlines()
  assert lines[1:5] == ['| width | answered at 10 | share |', '|---|---|---|', '| 10 |  | 0.50 |', '| 640 | yes | 7 |']
  assert [line.split(' | ')[0] for line in lines[9:11]] == ['| b', '| a']
  page.write_text('<!-- runs: a 20 40 -->\n<!-- end -->\n')
  document.fill(page)
  assert page.read_text().splitlines()[1] == '| run | 40 | steps | training | memory |'
  page.write_text('<!-- runs: a c -->\n<!-- end -->\n')
  with pytest.raises(FileNotFoundError, match='c/results.csv'):
    document.fill(page)


def test_a_report_block_holds_the_methods_of_a_folder(tmp_path):
  for name, widths, fields in (('direct-40', '40', {}), ('bkd-10', '10', {'distill.method': 'bkd'})):
    save_run(tmp_path / 'runs' / name, [int(widths)], [0.25])
    chosen = {'data.name': 'umls', 'objective.name': 'direct', 'model.widths': widths} | fields
    workdir_lib.write_config(tmp_path / 'runs' / name, config_lib.from_flat(chosen))
  page = tmp_path / 'page.md'
  page.write_text('<!-- report: runs -->\n<!-- end -->\n')
  document.fill(page)
  lines = page.read_text().splitlines()
  assert lines[1] == '| method | 10 | 40 | remarks |'
  assert lines[3] == '| DT |  | 0.250 (0.350) |  |' and lines[4] == '| BKD | 0.250 (0.350) |  |  |'


def test_a_run_stands_beside_what_is_published_of_its_graph(tmp_path):
  save_run(tmp_path / 'runs' / 'a', [10, 50, 640], [0.25, 0.3, 0.35])
  chosen = {'data.name': 'fb15k237', 'model.score': 'complex_reciprocal', 'model.widths': '10:640:10'}
  workdir_lib.write_config(tmp_path / 'runs' / 'a', config_lib.from_flat(chosen))
  page = tmp_path / 'page.md'
  page.write_text('<!-- published: runs 10 50 640 -->\n<!-- end -->\n')
  document.fill(page)
  lines = page.read_text().splitlines()
  assert lines[1] == '| method | 10 | 50 | 640 | remarks |'
  assert lines[3] == '| MED | 0.250 (0.350) | 0.300 (0.400) | 0.350 (0.450) |  |'
  (kbc,) = (line for line in lines if 'kbc' in line)
  assert kbc.startswith('| DT, kbc (ComplEx-N3) | 0.280 (-) | 0.330 (-) |  | published; at 100: 0.340 (-)')


def test_importances_are_summed_up(tmp_path):
  for name, values in (('graph-10', '-0.5,-0.25,-1'), ('graph-9', '3,-1,1,2')):
    (tmp_path / name / 'extract-loss').mkdir(parents=True)
    rows = '\n'.join(f'{i},{value}' for i, value in enumerate(values.split(',')))
    (tmp_path / name / 'extract-loss' / 'importance.csv').write_text(f'component,importance\n{rows}\n')
  page = tmp_path / 'page.md'
  page.write_text('<!-- importances: */extract-loss -->\n<!-- end -->\n')
  document.fill(page)
  assert page.read_text().splitlines()[3:5] == [
    '| graph-9/extract-loss | 4 | 25% | -1 | 1.5 | 3 |',
    '| graph-10/extract-loss | 3 | 100% | -1 | -0.5 | -0.25 |',
  ]


def study_frame():
  row = lambda arm, point, seed, split, chosen, width, mrr: {
    'arm': arm,
    'point': point,
    'seed': seed,
    'split': split,
    'chosen': chosen,
    'steps': 1000,
    'train_seconds': 60.0,
    'width': width,
    'mrr': mrr,
    'hits10': mrr + 0.1,
  }
  return pd.DataFrame(
    [
      row('med', 'a', 0, 'valid', False, 10, 0.2),
      row('med', 'a', 0, 'valid', False, 20, 0.3),
      row('med', 'b', 0, 'valid', True, 10, 0.3),
      row('med', 'b', 0, 'valid', True, 20, 0.4),
      row('med', 'b', 0, 'test', True, 10, 0.31),
      row('med', 'b', 0, 'test', True, 20, 0.41),
      row('med', 'b', 1, 'valid', True, 10, 0.9),
      row('med', 'b', 1, 'test', True, 10, 0.35),
      row('med', 'b', 1, 'test', True, 20, 0.43),
      row('direct-10', 'base', 0, 'valid', True, 10, 0.34),
      row('direct-10', 'base', 0, 'test', True, 10, 0.34),
    ]
  )


def test_a_study_becomes_tables_and_a_picture(tmp_path):
  study_frame().to_csv(tmp_path / 'study.csv', index=False)
  page = tmp_path / 'page.md'
  page.write_text(
    '<!-- study: study.csv -->\n<!-- end -->\n<!-- choice: study.csv -->\n<!-- end -->\n'
    '<!-- study-figure: study.csv picture.png -->\n<!-- end -->\n'
  )
  document.fill(page)
  text = page.read_text()
  assert (
    '| med | b | 0.330 ± 0.020 (0.430 ± 0.020) | **0.420 ± 0.010** (**0.520 ± 0.010**) | 1,000 | 1.0 min | 2 |' in text
  )
  assert '| direct-10 | base | **0.340** (**0.440**) |  | 1,000 | 1.0 min | 1 |' in text
  assert '| med | a | 0.200 | 0.300 | 0.2500 |' in text and '| med | b | 0.300 | 0.400 | **0.3500** |' in text
  assert (tmp_path / 'picture.png').stat().st_size > 5000 and '(picture.png)' in text


def test_the_seeds_of_crops_stand_beside_those_of_a_study(tmp_path):
  frame = study_frame()
  frame[frame['arm'] == 'direct-10'].to_csv(tmp_path / 'study.csv', index=False)
  save_run(tmp_path / 'seeds' / '0', [10, 20], [0.31, 0.4])
  save_run(tmp_path / 'seeds' / '1', [10, 20], [0.35, 0.4])
  page = tmp_path / 'page.md'
  page.write_text('<!-- seeds: study.csv seeds/* -->\n<!-- end -->\n')
  document.fill(page)
  assert page.read_text().splitlines()[1:6] == [
    '|  | 10 | seeds |',
    '|---|---|---|',
    '| crop | 0.330 ± 0.020 | 2 |',
    '| direct | 0.340 | 1 |',
    '| crop - direct | -0.010 |  |',
  ]


def test_the_mean_that_decided_is_the_one_shown(tmp_path):
  frame = study_frame()
  both = [frame[frame['point'] != 'a'].assign(merit=0.1234), frame[frame['point'] == 'a']]  # files from two times
  for name, part in zip('xy', both):
    part.to_csv(tmp_path / f'{name}.csv', index=False)
  page = tmp_path / 'page.md'
  page.write_text('<!-- choice: x.csv y.csv -->\n<!-- end -->\n')
  document.fill(page)
  text = page.read_text()
  assert '| med | b | 0.300 | 0.400 | **0.1234** |' in text and '| med | a | 0.200 | 0.300 | 0.2500 |' in text


def test_studies_stand_together_and_beside_published_figures(tmp_path):
  frame = study_frame()
  frame[frame['arm'] == 'med'].to_csv(tmp_path / 'a.csv', index=False)
  frame[frame['arm'] != 'med'].to_csv(tmp_path / 'b.csv', index=False)
  page = tmp_path / 'page.md'
  page.write_text('<!-- study: a.csv b.csv wn18rr-rotate -->\n<!-- end -->\n')
  document.fill(page)
  lines = page.read_text().splitlines()
  assert [line.split(' | ')[0] for line in lines[3:5]] == ['| med', '| direct-10']
  paper = next(line for line in lines if line.startswith('| MED, MED paper'))
  assert '| 0.324 (0.469) |  |  |  |  |' in paper and 'at 40: 0.466 (0.561)' in paper


def test_by_how_much_croppable_models_are_ahead(tmp_path):
  study_frame().to_csv(tmp_path / 'near.csv', index=False)
  far = study_frame()
  far.loc[far['arm'] == 'direct-10', ['mrr', 'train_seconds']] = 0.3104, 90.0
  wider = far[far['arm'] == 'direct-10'].assign(arm='direct-20', width=20, mrr=0.4, train_seconds=30.0)
  pd.concat([far, wider, wider.assign(seed=1, mrr=0.39)]).to_csv(tmp_path / 'far.csv', index=False)
  longer = far[(far['arm'] == 'med') & (far['seed'] == 1)].assign(arm='med, longer', train_seconds=30.0)
  longer.to_csv(tmp_path / 'far-beside.csv', index=False)
  page = tmp_path / 'page.md'
  page.write_text('<!-- ahead: near.csv far.csv far-beside.csv -->\n<!-- end -->\n')
  document.fill(page)
  lines = page.read_text().splitlines()
  assert lines[1] == '| study | arm | 10 | 20 | steps | seeds | seconds, direct : arm |'
  # seed 0 alone, which both have; 20 was not trained directly
  assert lines[3] == '| near | med | -0.030 |  | 1,000 | 1 | 1.0 |'
  # behind by less than a digit of the table, and (0.41 - 0.4 + 0.43 - 0.39) / 2
  assert lines[4] == '| far | med | **+0.000** | **+0.025** | 1,000 | 2 | 2.0 |'
  assert lines[5] == '| far | med, longer |  | **+0.040** | 1,000 | 1 | 4.0 |'
  page.write_text('<!-- ahead: far-beside.csv -->\n<!-- end -->\n')
  with pytest.raises(ValueError, match='far: no arm of this study is called direct-WIDTH'):
    document.fill(page)


def test_a_summary_has_a_row_for_each_side_of_a_study(tmp_path):
  study_frame().to_csv(tmp_path / 'near.csv', index=False)
  page = tmp_path / 'page.md'
  page.write_text("<!-- summary: '[A study](a.md)=near.csv' -->\n<!-- end -->\n")
  document.fill(page)
  lines = page.read_text().splitlines()
  assert lines[1] == '|  |  | 10 | 20 | trainings | steps each | minutes in all |'
  assert lines[3] == '| [A study](a.md) | cropped | 0.330 | 0.420 | 1 | 1,000 | 1.0 |'
  assert lines[4] == '|  | direct | **0.340** |  | 1 | 1,000 | 1.0 |'


def test_differences_are_drawn_a_panel_a_graph(tmp_path):
  for name in ('one-a', 'scores-one-b', 'two-a'):
    study_frame().to_csv(tmp_path / f'{name}.csv', index=False)
  page = tmp_path / 'page.md'
  page.write_text('<!-- ahead-figure: one-a.csv scores-one-b.csv two-a.csv ahead.png -->\n<!-- end -->\n')
  document.fill(page)
  assert '(ahead.png)' in page.read_text() and (tmp_path / 'ahead.png').read_bytes().startswith(b'\x89PNG')


FILLED = re.compile(r'<!-- [a-z-]+: .*?<!-- end -->', re.DOTALL)
PAGES = [page for page in sorted(DOCS.rglob('*.md')) if FILLED.search(page.read_text())]


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_the_pages_are_filled_with_what_is_saved(page, monkeypatch):
  for module, draw in ((studies, 'figure'), (studies, 'ahead_figure'), (plots, 'runs_against_width')):
    monkeypatch.setattr(module, draw, lambda *_: None)
  assert document.filled(page) == page.read_text(), 'fill it anew: python -m medjax.report.document PAGE'


def test_papers_do_not_tell_reciprocal_relations_apart():
  plain, reciprocal = (quality.published('fb15k237', score) for score in ('complex', 'complex_reciprocal'))
  pd.testing.assert_frame_equal(plain, reciprocal)
  assert 'kbc (ComplEx-N3)' in set(plain['source'])
