"""Trackers that follow a run: each is told every line once, also over interruptions, and none can end a training."""

from collections.abc import Callable, Mapping, Sequence
import json
import pathlib
import sys
from typing import Any, NamedTuple, Protocol

from medjax.config.fields import Config
from medjax.core import files, terminal

FILE = 'trackers.json'  # {tracker: {'run': its name of the run, 'told': {first name of a line: its last step}}}
Scalars = Mapping[str, float]


class Start(NamedTuple):
  """What a tracker is opened with.

  Attributes:
    config: of the run, resolved.
    workdir: its folder.
    step: the step that the training goes on from, 0 at first.
    run: what the tracker called the run when it was opened before, '' at first.
  """

  config: Config
  workdir: pathlib.Path
  step: int
  run: str

  @property
  def name(self) -> str:
    """The configuration's name, and the workdir's where it has another, as the runs of a study have."""
    own, folder = self.config.name, self.workdir.resolve().name
    return own if folder == own else f'{own} ({folder})'


class Tracker(Protocol):
  """What follows a run.

  Attributes:
    run: what it calls the run, by which it finds it again.
    place: where a person looks, '' where that goes without saying.
    rewinds: whether it forgets what it was told past the step of its start, and is told that again.
  """

  run: str
  place: str
  rewinds: bool

  def log(self, step: int, values: Scalars) -> None:
    """Takes {name: number} of a step."""

  def close(self, failed: bool) -> None:
    """Ends it; the run may go on later."""


Open = Callable[[Start], Tracker]


class Following:
  """The trackers of a run, as a context; nothing that they raise leaves it.

  A tracker that raises is told of in one line and left out. When the run goes on, it is opened again and told what it
  missed.
  """

  def __init__(self, openers: Mapping[str, Open], config: Config, workdir: pathlib.Path):
    self._openers, self._config, self._path = openers, config, workdir / FILE
    self._trackers: dict[str, Tracker] = {}
    self._known: dict[str, dict[str, Any]] = {}

  def begin(self, step: int, history: Sequence[tuple[int, Scalars]] = ()) -> None:
    """Opens the trackers of a training that goes on from a step, and tells them the lines before it."""
    if not self._openers:
      return
    try:
      self._known = json.loads(files.read_text(self._path, files.SETTINGS)) if self._path.exists() else {}
    except (ValueError, OSError, RecursionError):
      self._warn(f'{self._path} is damaged, so that trackers begin new runs')
    for name, opener in self._openers.items():
      self._try(name, lambda name=name, opener=opener: self._open(name, opener, step, history))

  def log(self, step: int, values: Scalars) -> None:
    """Tells every tracker {name: number} of a step, unless it knows that line."""
    for name in list(self._trackers):
      self._try(name, lambda name=name: self._tell(name, step, values))

  def _open(self, name, opener, step, history):
    known = self._known.get(name, {'run': '', 'told': {}})
    tracker = self._trackers[name] = opener(Start(self._config, self._path.parent, step, known['run']))
    if tracker.run != known['run']:
      known['told'] = {}  # it has lost the run, and begun another
    if tracker.rewinds:
      known['told'] = {kind: min(last, step) for kind, last in known['told'].items()}
    self._known[name] = {'run': tracker.run, 'told': known['told']}
    self._save()
    if tracker.place:
      terminal.say(f'{name}: {tracker.place}')
    for line in () if tracker.rewinds else history:
      self._tell(name, *line)

  def _tell(self, name, step, values):
    told, kind = self._known[name]['told'], next(iter(values))
    if step > told.get(kind, -1):
      self._trackers[name].log(step, values)
      told[kind] = step
      if not self._trackers[name].rewinds:
        self._save()

  def _save(self):
    files.write_text(self._path, json.dumps(self._known, indent=1) + '\n')

  def _try(self, name, action):
    try:
      action()
    except Exception as error:  # whatever it is: hours of training are worth more
      self._trackers.pop(name, None)
      reason = ' '.join(f'{type(error).__name__}: {error}'.split())
      self._warn(
        f'the tracker {name} failed and is left out, the training goes on: {reason}; metrics.jsonl has everything, and '
        'when the run goes on the tracker is told what it missed'
      )

  def _warn(self, text):
    terminal.say(f'warning: {text}', file=sys.stderr)

  def __enter__(self) -> 'Following':
    return self

  def __exit__(self, kind: type[BaseException] | None, *others: object) -> None:
    for name, tracker in list(self._trackers.items()):
      self._try(name, lambda tracker=tracker: (self._save(), tracker.close(failed=kind is not None)))


NONE = Following({}, Config(), pathlib.Path())  # what no tracker follows
