"""What a score needs to be made, for those who read a model without loading the score.

COMPONENTS: how many real numbers a component has. CONSTANTS: the constants of a model, see `scores.make`.
"""

COMPONENTS = {  # any other score tells it itself
  'transe': 1,
  'transe_l2': 1,
  'rotate': 2,
  'pairre': 1,
  'simple': 2,
  'distmult': 1,
  'complex': 2,
  'distmult_reciprocal': 1,
  'complex_reciprocal': 2,
}
CONSTANTS = {  # any other score fails itself where one is missing
  'transe': ('init_range',),
  'transe_l2': ('init_range',),
  'rotate': ('init_range', 'phase_scale'),
  'pairre': ('init_range',),
  'simple': ('init_scale',),
  'distmult': ('init_scale',),
  'complex': ('init_scale',),
  'distmult_reciprocal': ('init_scale',),
  'complex_reciprocal': ('init_scale',),
}
