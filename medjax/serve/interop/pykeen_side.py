"""A PyKEEN model of a folder that `--format=pykeen` wrote; imports PyTorch, numpy and PyKEEN 1.11, nothing of medjax.

  python pykeen_side.py FOLDER                    prints PyKEEN's own filtered metrics on the test triples

  model, training, validation, testing = load(FOLDER)

Two of PyKEEN's interactions are not what their papers have and what is exported, so others take their places: its
RotatE is the root of the sum of the squared moduli (`forward` leaves out `p`), not their sum; its SimplE never crosses
the two roles of an entity, which makes it a DistMult of twice the width.
"""

import json
import pathlib
import sys
from typing import Any

import numpy as np
from pykeen.evaluation import RankBasedEvaluator
from pykeen.models import Model, model_resolver
from pykeen.nn.modules import RotatEInteraction, SimplEInteraction
from pykeen.triples import TriplesFactory
import torch

Pair = tuple[torch.Tensor, torch.Tensor]


class SumOfModuli(RotatEInteraction):
  """RotatE's distance as its paper has it (eq. 2): the sum over components of |h r - t|."""

  def forward(self, h: torch.Tensor, r: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """Returns the negated distances of complex tensors [..., d]."""
    return -(h * r - t).abs().sum(-1)


class CrossedRoles(SimplEInteraction):
  """SimplE's score as its paper has it (eq. 3): (<h_head, r, t_tail> + <t_head, r_inverse, h_tail>) / 2."""

  def forward(self, h: Pair, r: Pair, t: Pair) -> torch.Tensor:
    """Returns the scores of pairs (head role, tail role) and (forward, inverse) of tensors [..., d]."""
    return 0.5 * ((h[0] * r[0] * t[1]).sum(-1) + (t[0] * r[1] * h[1]).sum(-1))


INTERACTIONS = {'RotatE': SumOfModuli, 'SimplE': CrossedRoles}


def load(folder: str | pathlib.Path) -> tuple[Model, TriplesFactory, TriplesFactory, TriplesFactory]:
  """Returns (model, training, validation, testing), the last three as PyKEEN's triples factories."""
  folder = pathlib.Path(folder)
  about = json.loads((folder / 'pykeen.json').read_text(encoding='utf-8'))
  ids = {kind: {name: i for i, name in enumerate(about[kind])} for kind in ('entities', 'relations')}
  with np.load(folder / 'triples.npz', allow_pickle=False) as splits:
    training, validation, testing = (
      TriplesFactory(
        torch.as_tensor(splits[split], dtype=torch.long),
        entity_to_id=ids['entities'],
        relation_to_id=ids['relations'],
        create_inverse_triples=about['create_inverse_triples'] and split == 'train',
      )
      for split in ('train', 'valid', 'test')
    )
  model: Any = model_resolver.make(about['model'], triples_factory=training, **about['arguments'])
  if about['model'] in INTERACTIONS:
    model.interaction = INTERACTIONS[about['model']]()
  with np.load(folder / 'weights.npz', allow_pickle=False) as weights:
    state = {name: torch.from_numpy(weights[name]) for name in weights.files}
  missing = model.load_state_dict(state, strict=False)
  if missing.unexpected_keys or any(name.endswith('_embeddings.weight') for name in missing.missing_keys):
    raise ValueError(f'{folder}: these weights do not fit: {missing}')
  return model.eval(), training, validation, testing


def evaluate(folder: str | pathlib.Path) -> dict[str, float]:
  """Returns {metric: value} of PyKEEN's filtered, realistic evaluation of both sides on the test triples."""
  model, training, validation, testing = load(folder)
  results = RankBasedEvaluator(filtered=True).evaluate(
    model,
    testing.mapped_triples,
    additional_filter_triples=[training.mapped_triples, validation.mapped_triples],
    batch_size=64,
    use_tqdm=False,
  )
  names = {
    'mrr': 'inverse_harmonic_mean_rank',
    'hits1': 'hits_at_1',
    'hits3': 'hits_at_3',
    'hits10': 'hits_at_10',
    'mr': 'arithmetic_mean_rank',
  }
  return {name: float(results.get_metric(f'both.realistic.{theirs}')) for name, theirs in names.items()}


if __name__ == '__main__':
  print(json.dumps(evaluate(sys.argv[1])))
