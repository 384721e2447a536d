r"""What was best in budgets of an hour of one core: 64 sub-models of widths 10 to 640, on any graph.

ComplEx with reciprocal relations under the softmax loss, in small batches, against candidates that are drawn by the
root of how often they answer and count as all entities. N3 weighs less below width 50, the narrower the less. The name
of a graph may follow a colon; docs/recipe.md tells what to change on a graph of your own, in which order, and what each
of these numbers does.

On FB15k-237 the crops of 10, 100 and 640 reach a test MRR of .272, .336 and .354, the mean of three seeds, in 24
minutes of one core; configs/fb15k237/best.py, codex_m/best.py and wn18rr/best.py have more steps, and tell what those
bring. How much of the regulariser a graph wants is chosen by validation, in short trainings of one width before the run
(objective.strengths).

  python launch.py --config=configs/best.py:fb15k237
  python launch.py --config=configs/best.py --config.data.path=FOLDER --workdir=runs/mine
"""

from medjax import config as config_lib


def get_config(data=''):
  return config_lib.best(f'best-{data}' if data else 'best', data, choose=True)
