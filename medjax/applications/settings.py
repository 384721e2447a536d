"""What a file in `configs/applications/` returns: a shop, the trainings on its graph, and what they are beside."""

from collections.abc import Sequence
import dataclasses
import pathlib
from typing import Any

from medjax import config as config_lib
from medjax.applications import ecommerce, market, movielens, recbole
from medjax.applications.shop import Shop
from medjax.applications.split import Settings
from medjax.core import widths as widths_lib
from medjax.errors import ConfigError
from medjax.experiments import extraction

READERS = ('movielens', 'recbole', 'market')
Point = dict[str, Any]  # {dotted field: value}, what a training changes of the base


def base() -> config_lib.Config:
  """Returns the configuration that trainings on a shop's graph begin with: ComplEx with the softmax loss and DURA.

  The search of every shop decides on some of it. The negatives and the weight of narrow widths were picked by a few
  trials with one seed on MovieLens-100K's validation; direct training, which has one width, got no such trials.
  """
  fields = {
    'model.score': 'complex_reciprocal',
    'model.widths': '10,20,40,80,160',
    'model.width_scale': 'sqrt',
    'objective.loss': 'softmax',
    'objective.regularizer': 'dura',
    'objective.regularization': 0.01,
    'objective.mutual_weight': 1.0,
    'objective.mutual_detach': 'wide',
    'objective.narrow_weight': 0.5,
    'train.optimizer': 'adagrad',
    'train.learning_rate': 0.1,
    'train.narrow_rate': 0.0,
    'train.batch': 1024,
    'train.negatives': 1024,
    'train.share_negatives': 1024,
    'train.negative_power': 1.0,  # items are few among all entities, and answer many of the queries
    'train.weigh_negatives': True,
    'train.sparse_updates': True,  # under Adagrad the same training
    'train.steps': 4000,
  }
  return config_lib.from_flat(fields)


@dataclasses.dataclass(slots=True)
class Applications:
  """Three applications of one croppable model of a shop, beside what they are compared with.

  Attributes:
    name: the default workdir is runs/<name>.
    reader: 'movielens' or 'recbole', which read atomic files, or 'market', a synthetic shop.
    data: the name or folder of the files; of a synthetic shop the number of users.
    split: what is trained on, and what is asked.
    base: of all trainings; its widths are those that are compared.
    grid: the search: every arm trains each of these changes of the base, and validation picks one.
    searched: widths whose direct training is searched; the others take what the nearest of these took.
    extracted: what extraction keeps components by, see `experiments.extraction`.
    distilled: methods of distillation, see `config.DistillConfig`.
    student: what students change of the base; distillation needs objective.loss='logsigmoid', negatives that are not
      weighed, and dense updates.
    seeds: of the trainings that are compared; the first is also that of the search.
    most_users: for whom items are ranked, evenly spaced among those with a held-out like.
  """

  name: str
  reader: str
  data: str
  split: Settings = dataclasses.field(default_factory=Settings)
  base: config_lib.Config = dataclasses.field(default_factory=base)
  grid: list[Point] = dataclasses.field(default_factory=lambda: [{}])
  searched: tuple[int, ...] = (10, 160)
  extracted: tuple[str, ...] = ('loss', 'value', 'random')
  distilled: tuple[str, ...] = ()
  student: Point = dataclasses.field(default_factory=dict)
  seeds: tuple[int, ...] = (0, 1, 2)
  most_users: int = 2000

  @property
  def widths(self) -> tuple[int, ...]:
    """Those that are compared, ascending."""
    return widths_lib.parse_widths(self.base.model.widths)


def check(settings: Applications) -> None:
  """Raises ConfigError for what cannot be run."""
  if settings.reader not in READERS:
    raise ConfigError(f'reader is {settings.reader!r}; choose one of {", ".join(READERS)}')
  if settings.reader == 'market' and not settings.data.isdigit():
    raise ConfigError(f'data is {settings.data!r}; of a synthetic shop it is the number of users')
  for name, needed in (('grid', settings.grid), ('seeds', settings.seeds), ('searched', settings.searched)):
    if not needed:
      raise ConfigError(f'{name} is empty; give one at least')
  if unknown := set(settings.searched) - set(settings.widths):
    raise ConfigError(f'searched has {min(unknown)}, which is none of the widths {settings.base.model.widths}')
  if unknown_ways := set(settings.extracted) - set(extraction.METHODS):
    raise ConfigError(f'extracted has {min(unknown_ways)!r}; choose of {", ".join(extraction.METHODS)}')
  if settings.most_users < 1:
    raise ConfigError(f'most_users is {settings.most_users}; it must be at least 1')


def read(settings: Applications) -> Shop:
  """Returns the shop that the settings name; raises errors.DataError where it cannot be read."""
  if settings.reader == 'market':
    return ecommerce.make(market.Market(int(settings.data)))
  folder = pathlib.Path(settings.data).expanduser()
  name, given = folder.name, folder if folder.is_dir() else None
  if settings.reader == 'movielens':
    return movielens.read(name, given)
  return recbole.read(recbole.find(name, given), name)


def nearest(width: int, among: Sequence[int]) -> int:
  """Returns the width that is nearest by its ratio; of two, the wider one.

  >>> [nearest(width, (10, 160)) for width in (10, 20, 40, 80)]
  [10, 10, 160, 160]
  """
  return min(among, key=lambda other: (max(width / other, other / width), -other))
