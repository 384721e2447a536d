r"""A bilinear score on FB15k-237 with the softmax loss and DURA: 64 sub-models of widths 10 to 640.

The score follows the file's name after a colon: complex_reciprocal, complex, distmult or simple.

The budget of two CPU cores: 8,000 steps of 1,024 triples (30 epochs, with one of a triple's two queries in each) with
1,024 negatives that the batch shares. The learning rate, the strength and the mutual learning are what validation chose
for seven widths of ComplEx in configs/study/fb15k237_complex.py, and serve the others in
configs/study/fb15k237_reciprocal.py and, to width 160, in configs/study/scores.py, all with a quarter of these steps;
docs/results has what was reached there, and in how many minutes of a CPU; and what 64 widths reach in a quarter of the
steps: with 8 of them in a step, a factor apart (objective.sub_models='ladder:8'), what seven widths alone reach; with
all 64, less at the narrow ones, and four thousandths more at 640, in more than twice the time. Published ComplEx with
N3 and reciprocal relations reaches an MRR of .28 at width 10 and .37 at 2000.

  python launch.py --config=configs/fb15k237/bilinear.py
  python launch.py --config=configs/fb15k237/bilinear.py:distmult --config.model.widths=10,20,40,80,160
"""

from medjax import config as config_lib


def get_config(score='complex_reciprocal'):
  config = config_lib.bilinear(f'fb15k237-{score}', 'fb15k237', score)
  config.objective.sub_models = 'ladder:8'
  config.train.steps = 8000
  return config
