"""A training that starts from the tables of a trained model: to make it croppable, or to add entities to its graph."""

from collections.abc import Sequence

import jax.numpy as jnp
from jaxtyping import Float, Int
import numpy as np

from medjax import errors
from medjax.config.fields import Config
from medjax.data.graph import Graph
from medjax.kge import loss
from medjax.kge import settings as settings_lib
from medjax.serve import loading
from medjax.serve.model import Model
from medjax.training.task import Task


def find(config: Config) -> Model | None:
  """Returns the `Model` that train.init_from of a resolved configuration names, of the run's full width; None: none.

  Raises:
    errors.ConfigError: the model has another score, or not that width.
    errors.ArtifactError, errors.CheckpointError: the folder holds no model.
  """
  folder = config.train.init_from
  if not folder:
    return None
  try:
    model = loading.load(folder, settings_lib.model_widths(config).full)
  except errors.WidthError as error:
    raise errors.ConfigError(
      f'config.train.init_from={folder!r}: {error}; config.model.widths={config.model.widths!r} have to end with one'
    ) from error
  if model.description.score != config.model.score:
    raise errors.ConfigError(
      f'config.train.init_from={folder!r}: it is a {model.description.score} model; set config.model.score to it'
    )
  return model


def from_model(task: Task, model: Model, config: Config, graph: Graph) -> tuple[Task, tuple[str, ...]]:
  """Returns (a task whose `init` takes the rows of a model, notes).

  Rows are found by identifier. Entities and relations that the model does not know start as in any training.

  Raises:
    errors.ConfigError: the model knows no entity, or no relation, of the graph.
  """
  folder = config.train.init_from
  tables = start_tables(model, config)
  kinds = {
    'entity': (graph.entities, model.graph.entities),
    'relation': (graph.relations, model.graph.relations),
  }
  rows = {kind: shared(*names) for kind, names in kinds.items()}
  notes = []
  for kind, (own, _) in rows.items():
    if not len(own):
      raise errors.ConfigError(
        f'config.train.init_from={folder!r}: it knows no {kind} of {graph.name}, such as {kinds[kind][0][0]!r}'
      )
    notes.append(f'{kind} rows that start as in {folder}: {len(own):,} of {len(kinds[kind][0]):,}')

  def init(key):
    params = task.init(key)
    started = {
      kind: {
        name: jnp.asarray(leaf).at[rows[kind][0]].set(tables[kind][name][rows[kind][1]]) for name, leaf in table.items()
      }
      for kind, table in params['model'].items()
    }
    return params | {'model': started}

  return task._replace(init=init), tuple(notes)


def start_tables(model: Model, config: Config) -> dict[str, dict[str, Float[np.ndarray, 'rows C']]]:
  """Returns a model's tables in the units of a new run: there they give the full width the scores that they gave.

  A crop's raw scores were multiplied by a number of its width (`core.width_scale.affine`), which is another one where
  that width is the full one: what the training made of the scores would be lost. A distance grows as its tables do, and
  a product of head, relation and tail as their cube. Phases are no lengths, but are stored in a unit of each run.
  """
  score, widths = model.description.make_score(), settings_lib.model_widths(config)
  scale = loss.affine(config, score, widths, {})[1][-1]
  factor = np.float32(model.description.scale[-1] / scale) ** (1 if score.margin else 1 / 3)
  turn = lambda constants: constants.get('phase_scale', 1.0)
  unit = {'phase': turn(model.description.constants) / turn(settings_lib.model_constants(config))}
  return {
    kind: {name: np.asarray(leaf) * np.float32(unit.get(name, factor)) for name, leaf in table.items()}
    for kind, table in model.params.items()
  }


def shared(own: Sequence[str], theirs: Sequence[str]) -> tuple[Int[np.ndarray, ' n'], Int[np.ndarray, ' n']]:
  """Returns the positions, in either vocabulary, of the identifiers that both have, int [n] each."""
  place = {name: i for i, name in enumerate(theirs)}
  pairs = [(i, place[name]) for i, name in enumerate(own) if name in place]
  first, second = np.array(pairs, np.int64).reshape(-1, 2).T
  return first, second
