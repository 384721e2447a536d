"""Labelled sentences: the nine tasks of GLUE in the files that GLUE ships, and tables of one's own.

GLUE (Wang et al., ICLR 2019) is a folder a task, with a file a split: a sentence or a pair in every line, columns
parted by tabs, and quotes that mean nothing. Files may be packed (.gz). GLUE's own test.tsv have no labels, so no split
here is made of them; test_labeled.tsv, where somebody has the labels, is.
"""

from collections.abc import Iterator, Sequence
import hashlib
import math
import os
import pathlib
from typing import NamedTuple

from jaxtyping import Float32, Int32
import numpy as np

from medjax import errors
from medjax.bert.tokens import Sentence
from medjax.config.text import TextDataConfig
from medjax.data import contents

SHOWN = 60  # characters of a faulty value that a message tells
SPLITS = ('train', 'valid', 'dev', 'dev_mismatched', 'test')  # valid: what is held out of train


class File(NamedTuple):
  """A file of a split.

  Attributes:
    split: its split.
    name: relative to the task's folder.
    columns: of a file without a header; empty: the first line has them.
  """

  split: str
  name: str
  columns: tuple[str, ...] = ()


HEADED = (
  File('train', 'train.tsv'),
  File('dev', 'dev.tsv'),
  File('test', 'test_labeled.tsv'),
)
BINARY = ('0', '1')


class Form(NamedTuple):
  """What a task asks, and how its files write it.

  Attributes:
    folder: as GLUE names it.
    label: the column of what is learned.
    metrics: what judges, see `metrics`.
    first, second: the columns of the sentence and of the second one, '' without one.
    classes: names of the classes, in their order; empty where a number is learned, or where the training file has them.
    written: how files write the classes.
    files: of the splits; of several that a split may have, the first that is there counts.
    number: whether a number is learned.
    cut: whether lines that lack columns are left out, as everybody does with those of QQP.
  """

  folder: str
  label: str
  metrics: tuple[str, ...]
  first: str = 'sentence'
  second: str = ''
  classes: tuple[str, ...] = ()
  written: tuple[str, ...] = BINARY
  files: tuple[File, ...] = HEADED
  number: bool = False
  cut: bool = False


COLA = ('source', 'label', 'star', 'sentence')
STS = ('genre', 'filename', 'year', 'old_index', 'score', 'sentence1', 'sentence2')  # and where they are from
PAIR = ('sentence1', 'sentence2')
ENTAILED = ('entailment', 'not_entailment')
INFERENCE = ('entailment', 'neutral', 'contradiction')
MATCHED = (HEADED[0], File('dev', 'dev_matched.tsv'), File('dev_mismatched', 'dev_mismatched.tsv'))
WITH_ORIGINAL = (*HEADED, File('test', 'original/sts-test.tsv', STS), File('test', 'sts-test-original.csv', STS))
FORMS = {
  'cola': Form(
    'CoLA',
    'label',
    ('matthews',),
    classes=('unacceptable', 'acceptable'),
    files=tuple(file._replace(columns=COLA) for file in HEADED),
  ),
  'sst2': Form('SST-2', 'label', ('accuracy',), classes=('negative', 'positive')),
  'mrpc': Form(
    'MRPC', 'Quality', ('accuracy', 'f1'), '#1 String', '#2 String', classes=('not_equivalent', 'equivalent')
  ),
  'stsb': Form('STS-B', 'score', ('pearson', 'spearman'), *PAIR, files=WITH_ORIGINAL, number=True),
  'qqp': Form(
    'QQP',
    'is_duplicate',
    ('accuracy', 'f1'),
    'question1',
    'question2',
    classes=('not_duplicate', 'duplicate'),
    cut=True,
  ),
  'mnli': Form('MNLI', 'gold_label', ('accuracy',), *PAIR, classes=INFERENCE, written=INFERENCE, files=MATCHED),
  'qnli': Form('QNLI', 'label', ('accuracy',), 'question', 'sentence', classes=ENTAILED, written=ENTAILED),
  'rte': Form('RTE', 'label', ('accuracy',), *PAIR, classes=ENTAILED, written=ENTAILED),
  'wnli': Form('WNLI', 'label', ('accuracy',), *PAIR, classes=ENTAILED[::-1]),
}


class Labelled(NamedTuple):
  """Sentences, or pairs of them, with what is to be learned.

  Attributes:
    sentences: texts or pairs.
    labels: places of their classes, or numbers.
    left_out: how many lines lacked columns.
  """

  sentences: list[Sentence]
  labels: Int32[np.ndarray, ' S'] | Float32[np.ndarray, ' S']
  left_out: int = 0

  def take(self, chosen: Int32[np.ndarray, ' R']) -> 'Labelled':
    """Returns some of them."""
    return Labelled([self.sentences[row] for row in chosen], self.labels[chosen])


class Source(NamedTuple):
  """A task's folder and form, with all classes named.

  Attributes:
    name: of the task.
    folder: where its files are.
    form: how they are read.
    hold_out: the share of the training examples that is the split 'valid'.
    examples: how many examples of the training file are used; 0: all.
  """

  name: str
  folder: pathlib.Path
  form: Form
  hold_out: float = 0.0
  examples: int = 0

  @property
  def splits(self) -> tuple[str, ...]:
    """The splits that there are."""
    named = {file.split for file in self.form.files if found(self.folder / file.name)}
    return tuple(split for split in SPLITS if split in named or (split == 'valid' and self.hold_out))

  def read(self, split: str) -> Labelled:
    """Reads a split; 'train' is without what is held out of it.

    Raises:
      errors.DataError: there is no such split, or a line cannot be read.
    """
    if split not in self.splits:
      raise errors.DataError(
        f'{self.folder} has no split {split!r} of {self.name}; there are {", ".join(self.splits) or "no files"}'
        + ('; config.data.hold_out=0.1 holds a tenth of train out as valid' if split == 'valid' else '')
      )
    kept = split if split != 'valid' else 'train'
    path, columns = next(
      (path, file.columns)
      for file in self.form.files
      if file.split == kept and (path := found(self.folder / file.name)) is not None
    )
    labelled = read(path, self.form, columns)
    if kept == 'train' and 0 < self.examples < len(labelled.sentences):
      labelled = labelled.take(some(len(labelled.sentences), self.examples))._replace(left_out=labelled.left_out)
    if kept == 'train' and self.hold_out:
      out = held_out(len(labelled.sentences), self.hold_out)
      rest = np.setdiff1d(np.arange(len(labelled.sentences)), out)
      return labelled.take(out if split == 'valid' else rest)._replace(left_out=labelled.left_out)
    return labelled


def find(settings: TextDataConfig) -> Source:
  """Returns the `Source` of the labelled sentences that a configuration names.

  Raises:
    errors.DataError: it is not to be found, or a table of one's own has no classes to tell apart.
  """
  if not settings.task:
    return own(settings)
  form = FORMS[settings.task]
  if settings.path:
    places = [pathlib.Path(settings.path).expanduser()]
  else:
    root = settings.root or os.environ.get('MEDJAX_DATA_ROOT', '')
    if not root:
      raise errors.DataError(
        f'config.data.task={settings.task!r}: where is GLUE? name the folder that has {form.folder} by '
        '--config.data.root=FOLDER or $MEDJAX_DATA_ROOT, or that folder itself by --config.data.path=FOLDER'
      )
    places = [pathlib.Path(root).expanduser() / inner / form.folder for inner in ('glue', '')]
  folder = next((place for place in places if found(place / 'train.tsv')), None)
  if folder is None:
    raise errors.DataError(
      f'config.data.task={settings.task!r}: there is no train.tsv (or .gz) in {" or ".join(map(str, places))}; name '
      f'the folder of {form.folder} by --config.data.path=FOLDER'
    )
  return Source(settings.task, folder, form, settings.hold_out, settings.examples)


def own(settings: TextDataConfig) -> Source:
  """Returns the `Source` of a table of one's own, whose classes are those of its training file, sorted."""
  folder = pathlib.Path(settings.path).expanduser()
  path = found(folder / 'train.tsv')
  if path is None:
    raise errors.DataError(
      f'config.data.path={settings.path!r}: there is no train.tsv in it; a table of your own is a folder with '
      'train.tsv and dev.tsv, whose first line names the columns'
    )
  number = settings.kind == 'regression'
  metrics = settings.metrics or ('pearson,spearman' if number else 'accuracy')
  judges = tuple(filter(None, map(str.strip, metrics.split(','))))
  files = (*HEADED, File('test', 'test.tsv'))
  form = Form('', settings.label, judges, settings.first, settings.second, (), (), files, number)
  if not number:
    classes = tuple(sorted({label for _, _, label in rows(path, form, ())[0]}))
    if len(classes) < 2:
      raise errors.DataError(f'{path}: its column {settings.label!r} has one class, {classes}; there have to be two')
    if len(classes) > 2 and {'f1', 'matthews'} & set(judges):
      raise errors.DataError(
        f'config.data.metrics={settings.metrics!r}: {path} has {len(classes)} classes, and f1 and matthews are of two; '
        'take accuracy'
      )
    form = form._replace(classes=classes, written=classes)
  return Source(folder.name, folder, form, settings.hold_out, settings.examples)


def read(path: pathlib.Path, form: Form, columns: Sequence[str] = ()) -> Labelled:
  """Reads a file of labelled sentences.

  Args:
    path: the file, packed or not.
    form: how it is read, with its classes named.
    columns: of a file without a header.

  Raises:
    errors.DataError: it names the file, the line and the value.
  """
  lines, left_out = rows(path, form, columns)
  places = {written: place for place, written in enumerate(form.written)}
  labels = []
  for number, _, label in lines:
    if form.number:
      labels.append(value_of(label, path, number))
    elif label in places:
      labels.append(places[label])
    else:
      raise errors.DataError(
        f'{path}, line {number}: {shown(label)} is no class in the column {form.label!r}; it has to be one of '
        f'{", ".join(form.written)}'
      )
  kind = np.float32 if form.number else np.int32
  return Labelled([sentence for _, sentence, _ in lines], np.asarray(labels, kind), left_out)


def rows(path: pathlib.Path, form: Form, columns: Sequence[str] = ()) -> tuple[list[tuple[int, Sentence, str]], int]:
  """Returns ([(number of the line, its sentence or pair, its label as written)], how many lines were left out)."""
  lines = numbered(path)
  headed = not columns
  if headed:
    columns = next(lines, (1, ''))[1].split('\t')
  wanted = [name for name in (form.first, form.second, form.label) if name]
  if lacking := [name for name in wanted if name not in columns]:
    more = '; is it a file without labels, as test.tsv of GLUE is?' if lacking == [form.label] else ''
    raise errors.DataError(
      f'{path}, line 1: there is no column {shown(lacking[0])}, but {", ".join(map(shown, columns))}{more} '
      'Name the columns by config.data.first, second and label'
    )
  places = [columns.index(name) for name in wanted]
  found, left_out = [], 0
  for number, line in lines:
    cells = line.split('\t')
    if len(cells) != len(columns) and (headed or len(cells) < len(columns)):
      if form.cut:
        left_out += 1
        continue
      raise errors.DataError(
        f'{path}, line {number}: it has {len(cells)} columns, not {len(columns)}: {shown(line)}; mend the line, or '
        'delete it. Columns are parted by tabs, and quotes mean nothing'
      )
    *texts, label = (cells[place].strip() for place in places)
    found.append((number, texts[0] if len(texts) == 1 else (texts[0], texts[1]), label))
  if not found:
    raise errors.DataError(f'{path} has no sentences; is it cut off?')
  return found, left_out


def numbered(path: pathlib.Path) -> Iterator[tuple[int, str]]:
  """Yields (number, text) of the lines of a file; raises errors.DataError where it is no text, and TooLarge."""
  lines = contents.read_text(path).split('\n')  # splitlines would part at other characters too, which sentences have
  for number, line in enumerate(lines[:-1] if lines[-1] == '' else lines, 1):
    yield number, line.removesuffix('\r')


def value_of(label: str, path: pathlib.Path, number: int) -> float:
  """Returns a finite number; raises errors.DataError for anything else."""
  try:
    value = float(label)
  except ValueError:
    value = math.nan
  if not math.isfinite(value):
    raise errors.DataError(
      f'{path}, line {number}: {shown(label)} is no number; every label of this task has to be one'
    )
  return value


def held_out(size: int, share: float) -> Int32[np.ndarray, ' R']:
  """Returns which of some examples are held out, in their order: the same ones at every call, and at least one."""
  return some(size, min(max(round(size * share), 1), size - 1))


def some(size: int, count: int) -> Int32[np.ndarray, ' R']:
  """Returns which `count` of some examples are drawn, in their order: the same ones at every call."""
  return np.sort(np.random.default_rng(0).permutation(size)[:count]).astype(np.int32)


def digest(labelled: Labelled) -> str:
  """Returns a hash of labelled sentences, by which a run knows its data again."""
  text = repr((labelled.sentences, labelled.labels.tolist()))
  return hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]


def found(path: pathlib.Path) -> pathlib.Path | None:
  """Returns the path of a file, or of it packed; None where neither is there."""
  packed = path.with_name(f'{path.name}.gz')
  return next((each for each in (path, packed) if each.is_file()), None)


def shown(value: str) -> str:
  """Returns a value in quotes, shortened."""
  return repr(value if len(value) <= SHOWN else value[:SHOWN] + '...')
