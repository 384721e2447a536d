"""Metrics, tables and plots."""

import json
import os
import subprocess
import sys

from matplotlib import image
import numpy as np
import pandas as pd
import pytest
from tensorboardX.proto import event_pb2

from medjax import config as config_lib
from medjax.report import metrics, plots, tables
from medjax.report.trackers import following, names


def results(widths):
  widths = np.array(widths)
  mrr = 0.45 * (1 - np.exp(-widths / 80))
  return pd.DataFrame(
    {
      'width': widths,
      'mrr': mrr,
      'hits1': mrr * 0.9,
      'hits3': mrr * 1.1,
      'hits10': mrr * 1.25,
      'mr': 100.0,
      'amri': 0.9,
      'params': widths * 1000,
    }
  )


def write(workdir, steps, start=0, follow=following.NONE):
  writer = metrics.Writer(workdir, start, follow)
  for step in steps:
    writer.write(step, {'loss': step / 3, 'width_loss': {'4': 1.5, '8': 2.5}})
  writer.close()
  return writer


def test_a_resumed_writer_drops_lines_past_its_step(tmp_path):
  write(tmp_path, [10, 20, 30, 40])
  assert [line['step'] for line in write(tmp_path, [25], start=20).history] == [10, 20]
  assert [line['step'] for line in metrics.read(tmp_path)] == [10, 20, 25]
  assert metrics.read(tmp_path)[0]['loss'] == 10 / 3


def test_a_half_written_last_line_is_survived(tmp_path):
  write(tmp_path, [10, 20])
  path = tmp_path / 'metrics.jsonl'
  path.write_text(path.read_text() + '{"step": 30, "lo')
  assert [line['step'] for line in metrics.read(tmp_path)] == [10, 20]
  write(tmp_path, [30], start=30)
  assert [json.loads(line)['step'] for line in path.read_text().splitlines()] == [10, 20, 30]


def test_every_line_is_on_disk_at_once(tmp_path):
  writer = metrics.Writer(tmp_path)
  writer.write(1, {'loss': 0.5})
  assert metrics.read(tmp_path) == [{'step': 1, 'loss': 0.5}]
  writer.close()


def test_a_line_becomes_scalars_and_so_do_results():
  assert metrics.scalars({'step': 3, 'loss': 1.0, 'width_loss': {'4': 2.0}}) == {'loss': 1.0, 'width_loss/4': 2.0}
  told = metrics.of_results(results([10, 20]), 'valid')
  assert told['valid_mr/20'] == 100.0 and len(told) == 12


def events(path):
  """The events of a file: length (8 bytes), checksum (4), content, checksum (4)."""
  data = path.read_bytes()
  while data:
    size = int.from_bytes(data[:8], 'little')
    yield event_pb2.Event.FromString(data[12 : 12 + size])
    data = data[16 + size :]


def test_tensorboard_gets_the_scalars_and_the_resumed_step(tmp_path):
  config = config_lib.Config()
  for steps, start in (([10], 0), ([30], 20)):
    with following.Following(names.find(config), config, tmp_path) as follow:
      write(tmp_path, steps, start, follow)
  first, second = (
    list(events(path)) for path in sorted((tmp_path / 'tensorboard').iterdir(), key=lambda path: int(path.suffix[1:]))
  )
  assert {value.tag: value.simple_value for value in first[-1].summary.value} == {
    'loss': pytest.approx(10 / 3),
    'width_loss/4': 1.5,
    'width_loss/8': 2.5,
  }
  assert second[1].session_log.status == event_pb2.SessionLog.START and second[1].step == 21


def test_results_have_their_columns(trained):
  frame = pd.read_csv(trained / 'results.csv')
  assert list(frame.columns) == ['width', 'mrr', 'hits1', 'hits3', 'hits10', 'mr', 'amri', 'params', 'candidates']
  assert set(frame['candidates']) == {'all'}
  assert list(frame['width']) == [4, 8, 12]


def test_results_are_the_rows_of_both_sides_and_all_relations(trained):
  detail = pd.read_csv(trained / 'results-detail.csv')
  expected = detail[(detail['side'] == 'both') & (detail['category'] == 'all')]
  assert list(tables.results_frame(detail)['mrr']) == list(expected['mrr'])
  assert set(detail['side']) == {'both', 'head', 'tail'}


def test_a_shown_table_has_a_line_per_width():
  lines = tables.show(results([10, 640])).splitlines()
  assert lines[0].split()[:2] == ['width', 'mrr'] and len(lines) == 3
  assert lines[2].split()[-1] == '640,000'


@pytest.mark.parametrize('widths', [[40], [10, 20], list(range(10, 641, 10))])
def test_a_plot_is_a_picture(tmp_path, widths):
  plots.quality_against_width(results(widths), tmp_path / 'plot.png', 'rotate on world, test')
  picture = image.imread(tmp_path / 'plot.png')
  assert picture.shape == (600, 960, 4)
  assert 0.8 < picture[..., :3].mean() < 0.999


def nothing(widths, ranked=()):
  frame = results(widths)
  return frame.assign(**{name: frame[name].where(frame['width'].isin(ranked)) for name in ('mrr', 'hits10', 'amri')})


@pytest.mark.parametrize('ranked', [(), (8,), (4, 12)])
def test_figures_that_are_no_numbers_are_left_out_of_a_plot(tmp_path, ranked):
  plots.quality_against_width(nothing([4, 8, 12], ranked), tmp_path / 'one.png', 'of nothing')
  plots.runs_against_width([('a', nothing([4, 8, 12], ranked).set_index('width'))], tmp_path / 'runs.png')
  for name in ('one', 'runs'):
    assert image.imread(tmp_path / f'{name}.png')[..., :3].mean() < 0.999


def test_an_empty_plot_says_so(tmp_path):
  with plots.panels(tmp_path / 'a.png') as (axes,):
    axes.plot([4, 8], [np.nan, np.nan])
    plots.from_zero(axes)
    assert [text.get_text() for text in axes.texts] == [tables.NOTHING] and axes.get_ylim() == (0, 1)
  with plots.panels(tmp_path / 'b.png') as (axes,):
    axes.plot([4, 8], [np.nan, 0.5])
    plots.from_zero(axes, 0.6)
    assert not axes.texts and axes.get_ylim() == (0, 0.6)


def test_a_table_of_nothing_says_so():
  assert tables.show(nothing([4, 8])) == 'no triples to rank'
  assert '0.0219' in tables.show(nothing([4, 8], [4]))


def test_a_first_start_of_matplotlib_is_silent(tmp_path):
  (tmp_path / 'file').touch()  # no folder can be made below it, of which matplotlib warns
  done = subprocess.run(
    [sys.executable, '-c', 'import medjax.report.plots'],
    env=os.environ | {'MPLCONFIGDIR': str(tmp_path / 'file' / 'folder')},
    capture_output=True,
    text=True,
    check=True,
  )
  assert done.stderr == ''


def test_drawing_leaves_the_backend_to_the_caller():
  program = 'import medjax.report.plots, matplotlib; print(matplotlib.get_backend())'
  given = os.environ | {'MPLBACKEND': 'svg'}
  done = subprocess.run([sys.executable, '-c', program], env=given, capture_output=True, text=True, check=True)
  assert done.stdout == 'svg\n'


def test_a_title_is_no_formula_and_may_be_in_any_script(tmp_path, recwarn):
  plots.quality_against_width(results([4, 8]), tmp_path / 'a.png', 'costs $1 or $x_{ in 日本')
  assert (tmp_path / 'a.png').exists() and not recwarn.list
