"""What the named objectives fix, and which fields do not touch the result of a training."""

from typing import Any

PRESETS: dict[str, dict[str, Any]] = {  # what the named objectives fix
  'med': {},
  'paper': {
    'model.width_scale': 'none',
    'model.width_gamma': 'shared',
    'model.gamma_half': 0.0,
    # 1/2, since medjax takes the mean of the losses of positives and negatives where the paper adds them
    'objective.mutual': True,
    'objective.mutual_weight': 0.5,
    'objective.mutual_form': 'huber',
    'objective.mutual_power': 0.0,
    'objective.mutual_reduction': 'sum',
    'objective.mutual_detach': 'none',
    'objective.evolutionary': True,
    'objective.difficulty': 'inverse',
    'objective.weigh_over': 'batch',
    'objective.adversarial_temperature': 0.0,
    'objective.dynamic': True,
    'objective.narrow_weight': 0.0,
    'objective.weights': 'learned',
    'objective.w1': 1.0,
    'objective.w2': 1.0,
    'objective.w3': 1.0,
    'train.narrow_rate': 0.0,
    'objective.sub_models': 'all',
    'objective.loss': 'logsigmoid',
    'objective.regularizer': 'none',
  },
  'direct': {
    'model.gamma_half': 0.0,
    'objective.mutual': False,
    'objective.evolutionary': False,
    'objective.dynamic': False,
    'objective.narrow_weight': 0.0,
    'objective.weights': 'fixed',
    'train.narrow_rate': 0.0,
  },
}
# fields that may change between a run and its resumption: they do not touch the training's result
FREE = (
  'name',
  'data.root',
  'data.cache',
  'eval.every',
  'eval.patience',
  'eval.unseen',
  'eval.batch',
  'eval.extra_widths',
  'train.checkpoint_every',
  'train.keep',
  'train.log_every',
  'train.steps_per_dispatch',
  'train.tracker',
  'distill.teacher',
  'distill.rates',
  'parallel.mode',
  'parallel.data',
  'parallel.width',
  'parallel.distributed',
)
