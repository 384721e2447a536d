"""A training step as one writes it in PyTorch: one bilinear model, softmax loss, DURA or N3, Adagrad.

Imports nothing of medjax.
The work is that of our step of one width: half of the batch asks for heads, candidates are shared by the batch or are
all entities; they may be drawn by a power of how often they answer, and count as all entities. The gradient of a table
is dense, as `torch.nn.Embedding` makes it, or sparse if asked for.
"""

import math
import time

import torch


def complex_product(left, right):
  """Products of complex numbers whose real parts stand in front of their imaginary ones."""
  (a, b), (c, d) = left.chunk(2, -1), right.chunk(2, -1)
  return torch.cat([a * c - b * d, a * d + b * c], -1)


def conjugate(x):
  """Their conjugates."""
  real, imaginary = x.chunk(2, -1)
  return torch.cat([real, -imaginary], -1)


def modulus(x):
  """Their magnitudes, half as many."""
  real, imaginary = x.chunk(2, -1)
  return (real**2 + imaginary**2).sqrt()


# score: (tail query, head query) of (entity, relation), and the magnitudes of an embedding's components
SCORES = {
  'complex': (complex_product, lambda tail, relation: complex_product(tail, conjugate(relation)), modulus),
  'complex_reciprocal': (complex_product, complex_product, modulus),
  'distmult': (torch.mul, torch.mul, torch.abs),
  'distmult_reciprocal': (torch.mul, torch.mul, torch.abs),
}


def training(spec, triples):
  """Returns a function to {'seconds': seconds per step}."""
  tail_query, head_query, magnitudes = SCORES[spec['score']]
  reciprocal, half = spec['score'].endswith('_reciprocal'), spec['batch'] // 2
  table = lambda rows: torch.nn.Embedding(rows, spec['width'], sparse=spec['sparse'])
  entity, relation = table(spec['num_entities']), table(spec['num_relations'] * (2 if reciprocal else 1))
  for embedding in (entity, relation):
    torch.nn.init.normal_(embedding.weight, std=spec['width'] ** -0.5)
  optimizer = torch.optim.Adagrad([*entity.parameters(), *relation.parameters()], lr=spec['learning_rate'])
  triples = torch.as_tensor(triples, dtype=torch.long)
  answers = torch.bincount(triples[:, [0, 2]].flatten(), minlength=spec['num_entities'])
  share = torch.nn.functional.normalize((1.0 + answers) ** spec['negative_power'], p=1.0, dim=0)
  until = share.cumsum(0)

  def step():
    head, link, tail = triples[torch.randint(len(triples), (spec['batch'],))].T
    anchor, right = entity(torch.cat([head[:half], tail[half:]])), torch.cat([tail[:half], head[half:]])
    links = relation(torch.cat([link[:half], link[half:] + reciprocal * spec['num_relations']]))
    query = torch.cat([tail_query(anchor[:half], links[:half]), head_query(anchor[half:], links[half:])])
    answer = entity(right)
    if spec['negatives']:
      drawn = torch.searchsorted(until, torch.rand(spec['negatives'])).clamp(max=spec['num_entities'] - 1)
      against = query @ entity(drawn).T
      if spec['weigh_negatives']:
        against = against - (share[drawn].log() + math.log(spec['negatives']))
        against = against.masked_fill(drawn == right[:, None], -math.inf)
      scores, target = torch.cat([(query * answer).sum(-1, keepdim=True), against], 1), torch.zeros_like(right)
    else:
      scores, target = query @ entity.weight.T, right
    loss = torch.nn.functional.cross_entropy(scores, target)
    if spec['regularizer'] == 'dura':
      size = sum((x**2).sum(-1) for x in (query, answer))
    else:
      size = sum((magnitudes(x) ** 3).sum(-1) for x in (anchor, links, answer))
    loss = loss + spec['regularization'] * size.mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

  def seconds():
    begun = time.perf_counter()
    for _ in range(spec['steps']):
      step()
    return {'seconds': (time.perf_counter() - begun) / spec['steps']}

  seconds()  # warm
  return seconds
