"""Objectives as pure functions of scores: what all sub-models of a model learn, and from which of the others.

Scores are positive [B, N] and negative [B, K, N]; `valid` bool [B, K] leaves negatives out, `fractions` are d_i/d_n of
the widths, and `Options` is a record that the caller builds. Knows no graph, no score and no configuration. May import:
nothing of medjax.
"""

from medjax.objectives import distill
from medjax.objectives.candidates import log_softmax, masked_softmax
from medjax.objectives.evolution import difficulty, evolutionary, predecessors, softplus, triple_weights
from medjax.objectives.losses import log_sigmoid_losses
from medjax.objectives.mutual_learning import divergence, huber, mutual
from medjax.objectives.options import Mutual, Options, Strengths
from medjax.objectives.softmax import softmax_losses
from medjax.objectives.weights import dynamic, neighbours, pair_weights, width_weights

__all__ = [
  'Mutual',
  'Options',
  'Strengths',
  'difficulty',
  'distill',
  'divergence',
  'dynamic',
  'evolutionary',
  'huber',
  'log_sigmoid_losses',
  'log_softmax',
  'masked_softmax',
  'mutual',
  'neighbours',
  'pair_weights',
  'predecessors',
  'softmax_losses',
  'softplus',
  'triple_weights',
  'width_weights',
]
