"""Validation MRR of a narrow and of the full width against seconds of training: one croppable run, and its rivals.

  python -m benchmarks.time_to_quality --peer-python=PATH --output=docs/benchmarks

The rivals are one training for each of seven widths, one after the other, and PyKEEN's ComplEx of the full width. Only
training counts, not what validates. All of ours are by the configuration that `--objective` names. A training's points
are kept in the output folder as they are measured: a command that was stopped goes on with the rivals that are not
finished. Saves a CSV and a PNG beside the text.
"""

from medjax.core import runtime

if __name__ == '__main__':
  runtime.use_huge_pages()

import matplotlib

matplotlib.use('Agg')
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from benchmarks import client, graph_data, running, timing, train_step, trainings
from medjax import config as config_lib
from medjax import scores
from medjax.core import widths as widths_lib
from medjax.evaluation import evaluator
from medjax.kge import settings as settings_lib

SCORE = 'complex_reciprocal'
CROPPABLE, APART, PEER = 'one croppable training', 'trainings of 7 widths, one after the other', 'PyKEEN, full width'
SEVEN = train_step.SEVEN


def make(arguments, widths, objective='med'):
  """Returns the `Setup` of the configuration that the command names with these widths, and the command's steps."""
  config = trainings.configuration(arguments.objective, SCORE)
  for field, value in {
    'model.widths': widths,
    'train.steps': arguments.steps,
    'train.batch': arguments.batch,
    'train.negatives': arguments.negatives,
    'train.share_negatives': arguments.share_negatives,
    'objective.name': objective,
  }.items():
    config_lib.put(config, field, value)
  config = settings_lib.resolve(config)
  return trainings.Setup(
    config, scores.make(SCORE, settings_lib.model_constants(config)), settings_lib.model_widths(config)
  )


def quality(setup, model, data, arguments):
  """Returns {width: filtered MRR} of the validation triples that the command asks for."""
  asked = graph_data.sample(data.valid, arguments.triples)
  ranks, _ = evaluator.rank_both_sides(setup.score, model, setup.widths, asked, data.triples)
  return dict(zip(setup.widths.values, (1 / ranks).mean((0, 1))))


def points(setup, data, arguments, before=0.0):
  """Yields (seconds, {width: MRR}) of a training, `before` seconds of it being spent already."""
  training, every = trainings.Training(setup, data), max(arguments.steps // arguments.points, 1)
  seconds = before
  for begun in range(0, arguments.steps, every):
    count = min(every, arguments.steps - begun)
    seconds += count * training.seconds(count)
    yield seconds, quality(setup, training.model, data, arguments)


def croppable(arguments, data, narrow, full):
  """Yields (seconds, width, MRR) of one training of all widths."""
  for seconds, merit in points(make(arguments, arguments.widths), data, arguments):
    yield from ((seconds, width, merit[width]) for width in (narrow, full))


def apart(arguments, data, narrow, full):
  """Yields the same of one training after the other, of those widths that are reported."""
  spent = 0.0
  for width in sorted({narrow, full, *(width for width in SEVEN if width < full)}):
    for seconds, merit in points(make(arguments, str(width), 'direct'), data, arguments, spent):
      spent = seconds
      if width in (narrow, full):
        yield seconds, width, merit[width]


def of_peer(arguments, data, narrow, full):
  """Yields the same of PyKEEN's model of the full width, as ours ranks its tables."""
  del narrow
  setup, seconds = make(arguments, str(full), 'direct'), 0.0
  own = {'learning_rate': arguments.peer_rate, 'batch': arguments.peer_batch}
  with client.peer(arguments, 'quality', data, own) as peer:
    for _ in range(arguments.peer_epochs):
      answer = peer.rounds()
      seconds += answer['seconds']
      yield seconds, full, quality(setup, tables(answer['tables']), data, arguments)[full]


def tables(path):
  """Returns our parameters of the tables that the peer saved: its relation 2r + 1 is the inverse of its 2r."""
  saved = np.load(path, allow_pickle=False)
  halves = lambda x: {'re': jnp.asarray(x.real), 'im': jnp.asarray(x.imag)}
  forward, inverse = halves(saved['relation'][0::2]), halves(saved['relation'][1::2])
  return {
    'entity': halves(saved['entity']),
    'relation': forward | {f'inverse_{name}': leaf for name, leaf in inverse.items()},
  }


def measured(arguments, data, path):
  """Returns the frame of all points; those of a rival are saved when it has finished."""
  widths = widths_lib.parse_widths(arguments.widths)
  rivals = {CROPPABLE: croppable, APART: apart} | ({PEER: of_peer} if arguments.peer_python else {})
  frame = pd.read_csv(path) if path and path.exists() else pd.DataFrame()
  for name, rival in rivals.items():
    if len(frame) and name in set(frame['training']):
      continue
    rows = [
      {'training': name, 'seconds': seconds, 'width': width, 'mrr': mrr}
      for seconds, width, mrr in rival(arguments, data, widths[0], widths[-1])
    ]
    frame = pd.concat([frame, pd.DataFrame(rows)], ignore_index=True)
    if path:
      frame.to_csv(path, index=False)
  return frame


def measure(arguments, data):
  if not trainings.is_softmax(arguments):
    raise ValueError(f'--objective={arguments.objective}: take one of {", ".join(trainings.OF_SOFTMAX)}')
  if arguments.score != SCORE:
    raise ValueError(f'--score={arguments.score}: the rivals are compared by {SCORE}')
  path = running.save_path(arguments, 'time_to_quality', '.csv') if arguments.output else None
  frame = measured(arguments, data, path)
  last = frame.groupby(['training', 'width'], sort=False).last().reset_index()
  rows = []
  for _, row in last.iterrows():
    first = frame[(frame['training'] == CROPPABLE) & (frame['width'] == row['width']) & (frame['mrr'] >= row['mrr'])]
    rows.append(
      {
        'training': row['training'],
        'width': f'{row["width"]:.0f}',
        'MRR': f'{row["mrr"]:.4f}',
        'after, s': f'{row["seconds"]:.0f}',
        'croppable there after, s': f'{first["seconds"].iloc[0]:.0f}' if len(first) else 'not',
      }
    )
  if arguments.output:
    draw(frame, running.save_path(arguments, 'time_to_quality', '.png'))
  return timing.table(rows), {'points': frame.to_dict('records'), 'steps': arguments.steps}


def draw(frame, path):
  """Draws MRR against seconds, a panel per width."""
  widths = sorted(frame['width'].unique())
  figure, panels = plt.subplots(1, len(widths), figsize=(4.6 * len(widths), 3.6), layout='constrained', squeeze=False)
  for panel, width in zip(panels[0], widths):
    for name, part in frame[frame['width'] == width].groupby('training', sort=False):
      panel.plot(part['seconds'] / 60, part['mrr'], marker='o', markersize=3, linewidth=1.4, label=name)
    panel.set_title(f'width {width:.0f}')
    panel.set_xlabel('minutes of training')
    panel.set_xscale('log')
    panel.xaxis.set_major_formatter('{x:g}')
    panel.grid(alpha=0.3)
  panels[0][0].set_ylabel('validation MRR, filtered')
  most = max(panels[0], key=lambda panel: len(panel.lines))  # a rival may be of one width only
  figure.legend(*most.get_legend_handles_labels(), loc='outside lower center', ncols=3, frameon=False, fontsize=8)
  figure.savefig(path, dpi=150)
  plt.close(figure)


def main(argv=None):
  options = running.parser('time_to_quality', __doc__)
  running.add_objective(options)
  running.add_peer(options)
  options.set_defaults(score=SCORE, objective='best')
  options.add_argument('--steps', type=running.positive, default=8000, help='steps of each training')
  options.add_argument('--points', type=running.positive, default=16, help='validations of each training')
  options.add_argument('--triples', type=int, default=2000, help='validation triples, evenly spaced; 0 = all')
  options.add_argument('--peer-epochs', type=running.positive, default=10, help="PyKEEN's epochs, each one point")
  options.add_argument('--peer-batch', type=running.positive, default=1024, help='pairs in a batch of PyKEEN')
  options.add_argument('--peer-rate', type=float, default=0.1, help="of PyKEEN's Adagrad")
  return running.run(options, measure, argv)


if __name__ == '__main__':
  main()
