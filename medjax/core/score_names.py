"""How many real numbers a component of a score has, for those who read a model without loading the score."""

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
