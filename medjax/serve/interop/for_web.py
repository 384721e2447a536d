"""web: a page that answers questions in a browser, without a server, and offline once it was opened.

index.html is all of it: text, style, script, and the model as JSON inside, so that it also opens as a file, from which
a browser would read no second one. sw.js, manifest.webmanifest and the icons keep it for when there is no network.

A relation is stored ready for either question, as what it does to the numbers of the entity that is given; the script
(web/scoring.mjs) has no score's formula, but four ways to apply a relation and five to compare with the entities.
"""

import base64
import dataclasses
import hashlib
import html
from importlib import resources
import json
import pathlib
import re
from typing import Any, TYPE_CHECKING

from jaxtyping import Float32, Shaped
import numpy as np

from medjax import errors
from medjax.core.sides import Side, SIDES
from medjax.saved import small
from medjax.saved.files import replacing, write_text
from medjax.serve import known, vectors
from medjax.serve.interop import hub

if TYPE_CHECKING:
  from medjax.serve.model import Model

FORMS = {  # of a score: how a relation is applied to an entity, and how the outcome is compared with the others
  'transe': ('add', 'l1'),
  'transe_l2': ('add', 'l2'),
  'rotate': ('turn', 'moduli'),
  'pairre': ('multiply', 'stretched'),
  'simple': ('cross', 'ip'),
  'distmult': ('multiply', 'ip'),
  'complex': ('turn', 'ip'),
  'distmult_reciprocal': ('multiply', 'ip'),
  'complex_reciprocal': ('turn', 'ip'),
}
PROBES = {'add': (0.0,), 'multiply': (1.0,), 'cross': (1.0, 1.0), 'turn': (1.0, 0.0)}  # what a relation only passes by
SCRIPTS = ('scoring.mjs', 'labels.mjs', 'combobox.mjs', 'page.mjs')  # in the order in which one needs another
BESIDE = ('icon.svg', 'icon-192.png', 'icon-512.png')
LARGEST = 1 << 28  # bytes of a page; browsers hold no text much longer


def write(model: 'Model', folder: pathlib.Path, dtype: str) -> None:
  """Writes the folder; triples, if the model carries them, tell on the page what is known.

  Raises:
    errors.FormatError: a score that is not of `FORMS`, a model too large for a page, or those of `small.shrink`.
  """
  text = page(data(model, dtype))
  if len(text) > LARGEST:
    raise errors.FormatError(
      f'the page would have {len(text) >> 20:,} MiB, more than the {LARGEST >> 20} that browsers hold; crop the model '
      'narrower, store int8, or leave out its triples'
    )
  write_text(folder / 'index.html', text)
  write_text(folder / 'manifest.webmanifest', json.dumps(manifest(model), ensure_ascii=False, indent=1) + '\n')
  for name in BESIDE:
    with replacing(folder / name) as file:
      file.write(asset(name))
  version = hashlib.sha256(b''.join((folder / name).read_bytes() for name in ('index.html', *BESIDE))).hexdigest()
  write_text(folder / 'sw.js', asset('sw.js').decode().replace('{{version}}', version[:16]))


def data(model: 'Model', dtype: str = 'float32') -> dict[str, Any]:
  """Returns what a page holds of a model, as JSON has it: labels, and arrays as {type, data in base64}."""
  description = model.description
  if description.score not in FORMS:
    raise errors.FormatError(
      f'{description.score} scores cannot be asked in a browser; a page is made of one of {", ".join(FORMS)}'
    )
  query, metric = FORMS[description.score]
  entity = small.shrink('entity', vectors.entity_vectors(model), dtype)
  arrays = {'entity': entity['entity']} | {side: operators(model, side) for side in SIDES}
  if dtype == 'int8':
    arrays['factors'] = entity['entity' + small.SCALE]
  if model.has_triples:
    triples = np.concatenate(
      [np.asarray(part)[np.lexsort(np.asarray(part).T[[2, 0, 1]])] for part in model.graph.splits]
    )
    arrays |= {name: least(triples[:, i]) for i, name in enumerate(('heads', 'links', 'tails'))}
  return {
    'title': model.graph.name or 'a graph',
    'score': description.score,
    'width': model.width,
    'dtype': dtype,
    'query': query,
    'metric': metric,
    'unit': description.score == 'pairre',
    'offset': float(np.float32(description.offset[-1])),
    'scale': float(np.float32(description.scale[-1])),
    'entities': list(model.entities.labels),
    'relations': list(model.relations.labels),
    'loops': sorted(known.reflexive(model.graph)),
    'splits': list(map(len, model.graph.splits)) if model.has_triples else None,
    'notes': hub.public_notes(model),
    'stored': sum(array.nbytes for array in arrays.values()),
    'arrays': {name: packed(array) for name, array in arrays.items()},
  }


def operators(model: 'Model', side: Side) -> Float32[np.ndarray, 'R D']:
  """Returns what every relation does to the entity that is given in a question for that side, float32 [R, D].

  It is what a question makes of an entity that the relation passes by: of zeros where it adds, of ones where it
  multiplies. PairRE's for one side are what stretches the candidates of the other.
  """
  score, everyone = model.description.score, np.arange(len(model.relations.labels))
  leaves = vectors.LEAVES[score][0]
  length = model.width // len(leaves)
  probe = {name: np.full((1, length), x, np.float32) for name, x in zip(leaves, PROBES[FORMS[score][0]])}
  probing = dataclasses.replace(model, params={'entity': probe, 'relation': model.params['relation']})
  ask = lambda side: vectors.query_rows(probing, side, np.zeros_like(everyone), everyone)
  if score == 'pairre':
    return ask('head' if side == 'tail' else 'tail')['stretch']
  return vectors.side_by_side(ask(side), leaves)


def packed(array: Shaped[np.ndarray, '...']) -> dict[str, str]:
  """Returns an array as {type, data}: base64 of its numbers, little-endian."""
  little = np.ascontiguousarray(array, array.dtype.newbyteorder('<'))
  return {'type': array.dtype.name, 'data': base64.b64encode(little.tobytes()).decode()}


def least(ids: Shaped[np.ndarray, ' n']) -> Shaped[np.ndarray, ' n']:
  """Returns ids in the smallest unsigned type that holds them.

  >>> least(np.array([7, 300])).dtype.name
  'uint16'
  """
  return ids.astype(np.min_scalar_type(int(ids.max(initial=0))))


def page(content: dict[str, Any]) -> str:
  """Returns index.html, whose policy allows the style and script in it, and nothing from anywhere else."""
  style, script = asset('style.css').decode(), ''.join(map(joined, SCRIPTS))
  parts = {
    'title': html.escape(content['title']),
    'icon': base64.b64encode(asset('icon.svg')).decode(),
    'style': style,
    'style_hash': digest(style),
    'script': script,
    'script_hash': digest(script),
    'data': json.dumps(content, ensure_ascii=False, separators=(',', ':')).replace('<', '\\u003c'),
  }
  return re.sub(r'\{\{(\w+)\}\}', lambda found: parts[found[1]], asset('index.html').decode())


def joined(name: str) -> str:
  """Returns a script without the lines that import the others, which stand before it in the page."""
  return re.sub(r'^import .*\n', '', asset(name).decode(), flags=re.MULTILINE)


def digest(text: str) -> str:
  """Returns the hash by which a content security policy names an inline style or script."""
  return f'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'


def manifest(model: 'Model') -> dict[str, Any]:
  """Returns what a phone shows where the page is kept on its home screen."""
  name = model.graph.name or 'a graph'
  return {
    'name': f'Ask {name}',
    'short_name': name[:12],
    'start_url': './',
    'scope': './',
    'display': 'standalone',
    'background_color': '#f6f7fb',
    'theme_color': '#2f4bd6',
    'icons': [
      {'src': 'icon.svg', 'sizes': 'any', 'type': 'image/svg+xml'},
      *({'src': f'icon-{size}.png', 'sizes': f'{size}x{size}', 'type': 'image/png'} for size in (192, 512)),
    ],
  }


def asset(name: str) -> bytes:
  """Returns a file of the folder web/."""
  return (resources.files('medjax.serve.interop') / 'web' / name).read_bytes()
