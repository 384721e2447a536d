r"""A bilinear score on WN18RR with the softmax loss and DURA: 64 sub-models of widths 10 to 640.

The score follows the file's name after a colon: complex_reciprocal, complex, distmult or simple.

The budget of two CPU cores: 2,000 steps of 1,024 triples (24 epochs, with one of a triple's two queries in each) with
1,024 negatives that the batch shares, and what validation chose for five widths up to 160 in
configs/study/scores.py:wn18rr-simple and for the other scores there; docs/results has what was reached. It serves
the narrow widths: from 40 on, --noconfig.objective.mutual is better. Published ComplEx with N3 and reciprocal relations
reaches an MRR of .26 at width 10 and .49 at 1000, in 100 epochs of batches of 100 with every entity as a candidate.

  python launch.py --config=configs/wn18rr/bilinear.py
  python launch.py --config=configs/wn18rr/bilinear.py:simple
"""

from medjax import config as config_lib


def get_config(score='complex_reciprocal'):
  config = config_lib.bilinear(f'wn18rr-{score}', 'wn18rr', score)
  config.objective.regularization = 0.1
  config.train.learning_rate = 0.1
  config.train.steps = 2000
  return config
