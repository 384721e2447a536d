"""A training step as one writes it in PyTorch: one bilinear model, softmax loss, DURA, Adagrad.

Imports nothing of medjax.
The work is that of our step of one width: half of the batch asks for heads, candidates are shared by the batch or are
all entities. The gradient of a table is dense, as `torch.nn.Embedding` makes it, or sparse if asked for.
"""

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


# score: (tail query, head query) of (entity, relation)
QUERIES = {
  'complex': (complex_product, lambda tail, relation: complex_product(tail, conjugate(relation))),
  'complex_reciprocal': (complex_product, complex_product),
  'distmult': (torch.mul, torch.mul),
  'distmult_reciprocal': (torch.mul, torch.mul),
}


def training(spec, triples):
  """Returns a function to {'seconds': seconds per step}."""
  tail_query, head_query = QUERIES[spec['score']]
  reciprocal, half = spec['score'].endswith('_reciprocal'), spec['batch'] // 2
  table = lambda rows: torch.nn.Embedding(rows, spec['width'], sparse=spec['sparse'])
  entity, relation = table(spec['num_entities']), table(spec['num_relations'] * (2 if reciprocal else 1))
  for embedding in (entity, relation):
    torch.nn.init.normal_(embedding.weight, std=spec['width'] ** -0.5)
  optimizer = torch.optim.Adagrad([*entity.parameters(), *relation.parameters()], lr=spec['learning_rate'])
  triples = torch.as_tensor(triples, dtype=torch.long)

  def step():
    head, link, tail = triples[torch.randint(len(triples), (spec['batch'],))].T
    anchor, right = entity(torch.cat([head[:half], tail[half:]])), torch.cat([tail[:half], head[half:]])
    links = relation(torch.cat([link[:half], link[half:] + reciprocal * spec['num_relations']]))
    query = torch.cat([tail_query(anchor[:half], links[:half]), head_query(anchor[half:], links[half:])])
    answer = entity(right)
    if spec['negatives']:
      wrong = entity(torch.randint(spec['num_entities'], (spec['negatives'],)))
      scores, target = torch.cat([(query * answer).sum(-1, keepdim=True), query @ wrong.T], 1), torch.zeros_like(right)
    else:
      scores, target = query @ entity.weight.T, right
    loss = torch.nn.functional.cross_entropy(scores, target)
    loss = loss + spec['regularization'] * ((query**2).sum(-1) + (answer**2).sum(-1)).mean()
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
