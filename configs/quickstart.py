"""ComplEx on the world graph: 16 sub-models of widths 10 to 160 in about a minute of processor time.

The softmax loss with DURA, as in configs/fb15k237/bilinear.py, whose options serve here with half the batch; on the
validation triples they are better than without DURA at every width. docs/results/quickstart.md has what each width
reaches.

python launch.py
python launch.py --mode=predict --workdir=runs/quickstart --head=France --relation=borders --width=40
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.bilinear('quickstart', 'world', batch=512)
  config.model.widths = '10:160:10'
  config.train.steps = 2000
  config.eval.every = 500
  return config
