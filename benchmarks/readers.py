"""What reads a stranger's files, by name: every reader of medjax, each of which also asks a question.

`hostile` gives them spoiled samples; `samples` writes the whole ones.
"""

from collections.abc import Callable
import functools
import os
import pathlib
import tempfile
from typing import NamedTuple

import numpy as np

from benchmarks import samples
import medjax
from medjax import config as config_lib
from medjax import errors
from medjax.data import arrays, datasets, download, labels, store
from medjax.experiments import asked, runs
from medjax.report import choice, collect, cost, metrics, summary
from medjax.saved import checkpoint, verification, workdir
from medjax.serve import queries
from medjax.serve.interop import imports

SAMPLES = 'MEDJAX_HOSTILE_SAMPLES'  # the variable by which a process knows where they are


class Subject(NamedTuple):
  """Something that is read.

  Attributes:
    name: of it.
    read: a file or folder to nothing; reads it and asks a question.
    alone: whether one file of the sample is read, not all of them as a folder.
    artifact: whether medjax made it, so that it has a manifest.
  """

  name: str
  read: Callable[[pathlib.Path], object]
  alone: bool = False
  artifact: bool = False


@functools.cache
def small_model():
  """The model that is asked, of this process's samples."""
  return medjax.load(pathlib.Path(os.environ[SAMPLES]) / 'crop')


def ask(model):
  """Asks a model for one answer, one score and one vector."""
  head, relation = (words.identifiers[0] for words in (model.entities, model.relations))
  model.predict_tails(head, relation, k=3)
  model.score(head, relation, head)
  model.entity_vectors([head])
  return model


def read_graph(path):
  """Reads triples of any form as a training does, and looks at all of it."""
  graph = datasets.load(config_lib.DataConfig(path=str(path)))
  return [len(part) for part in (graph.entities, graph.relations, *graph.splits)], graph.entities[0], graph.notes


def read_prepared(path):
  """Prepares triples, and opens what came of it."""
  with tempfile.TemporaryDirectory() as place:
    graph = datasets.prepare(config_lib.DataConfig(path=str(path)), pathlib.Path(place) / 'store')
    return len(graph.train), graph.entities[:1]


def read_arrays(path):
  """Reads arrays of numpy and torch."""
  return arrays.read_tensors(path) if path.suffix == '.pkl' else arrays.read(path)


def read_archive(path):
  """Unpacks two files of an archive."""
  with tempfile.TemporaryDirectory() as place:
    unpack = download.unpack_zip if path.suffix == '.zip' else download.unpack
    unpack(path, ['train.txt', 'valid.txt'], pathlib.Path(place))
    inner = {found.name for found in pathlib.Path(place).rglob('*')}
    if inner - {'train.txt', 'valid.txt'}:
      raise AssertionError(f'it unpacked {inner}')


def read_foreign(format):
  """Returns what imports a model of another library and asks it."""

  def read(path):
    graph = samples.foreign_graph() if format == 'pykeen' else samples.small_graph()
    with tempfile.TemporaryDirectory() as place:
      imports.import_model(path, format, graph, pathlib.Path(place) / 'out', 'complex' if format == 'kbc' else '')
      ask(medjax.load(pathlib.Path(place) / 'out'))

  return read


def read_queries(path):
  """Reads questions and has a model answer them."""
  frame = queries.read(path)
  small_model().predict(frame, k=2)


def read_asked(path):
  """Reads triples that are to be ranked by a model."""
  return asked.read_triples(small_model(), path)


def read_sentences(task):
  """Returns what reads labelled sentences: the files of a task of GLUE, or ('') a table of one's own."""

  def read(path):
    from medjax.bert import glue

    source = glue.find(config_lib.updated(config_lib.TextConfig(), {'data.task': task, 'data.path': str(path)}).data)
    return [len(source.read(split).sentences) for split in ('train', 'dev')]

  return read


def read_bert(path):
  """Loads a BERT and asks it for the vector of a sentence."""
  from medjax.bert import model

  return model.load(path).encode(['the river is wide'])


def read_classifier(path):
  """Loads a classifier and asks it about a sentence."""
  from medjax.bert import classifier

  return classifier.load(path).predict(['the river is wide'])


def read_shop(path):
  """Reads a shop from atomic files."""
  from medjax.applications import recbole

  return recbole.read(path, 'shop').notes


def read_movielens(path):
  """Reads MovieLens from atomic files."""
  from medjax.applications import movielens

  return movielens.read('shop', path).notes


def read_wikikg2(path):
  """Prepares ogbl-wikikg2 from its published files."""
  from medjax.data import wikikg2

  with tempfile.TemporaryDirectory() as place:
    wikikg2.prepare(path, pathlib.Path(place) / 'store', ())
    graph = store.open_graph(pathlib.Path(place) / 'store')
    return len(graph.train), graph.entities[0]


def read_model(path):
  """Loads a model and asks it."""
  return ask(medjax.load(path))


def read_run(path):
  """Reads all that commands read of a run, and what a training that goes on looks at."""
  model = read_model(path)
  ask(medjax.load(path, width=model.widths.values[0]))
  workdir.read_source(path)
  collect.collect(path)
  choice.read(path)
  choice.read_speed(path)
  cost.read(path)
  config = workdir.read_config(path)
  if config is not None:
    runs.made_ready(path)
    checkpoints = checkpoint.Checkpoints(path / 'checkpoints', read_only=True, beside=path / metrics.FILE)
    latest = checkpoints.latest
    recorded = None if latest is None else checkpoints.grown(latest)
    checkpoints.close()
    metrics.Writer(path, latest or 0, recorded=recorded).close()


def read_store(path):
  """Opens a prepared graph, checks it, and reads all of it."""
  graph = store.open_graph(path)
  store.check(graph)
  names = [list(words) for words in (graph.entities, graph.relations, graph.entity_labels)]
  return names, np.asarray(graph.train).sum()


def read_study(path):
  """Collects the runs of a study and writes a report of them."""
  found = collect.collect(path)
  collect.unevaluated(path)
  with tempfile.TemporaryDirectory() as place:
    summary.write(collect.grouped(found), place)


def read_verified(path):
  """Looks at all files of an export by their manifest; what other programs read of it is not loaded here."""
  found = verification.verify(path)
  str(found)
  if damaged := found.damaged:
    raise errors.ArtifactError(damaged[0])


SUBJECTS = (
  Subject('text', read_graph, alone=True),
  Subject('RDF', read_graph, alone=True),
  Subject('Parquet', read_graph, alone=True),
  Subject('folder', read_graph),
  Subject('OpenKE', read_graph),
  Subject('labels', labels.read_file, alone=True),
  Subject('prepared', read_prepared, alone=True),
  Subject('arrays', read_arrays, alone=True),
  Subject('archives', read_archive, alone=True),
  Subject('PyKEEN', read_foreign('pykeen')),
  Subject('DGL-KE', read_foreign('dglke')),
  Subject('RotatE', read_foreign('rotate')),
  Subject('kbc', read_foreign('kbc')),
  Subject('wikikg2', read_wikikg2),
  Subject('queries', read_queries, alone=True),
  Subject('asked triples', read_asked, alone=True),
  Subject('SST-2', read_sentences('sst2')),
  Subject('RTE', read_sentences('rte')),
  Subject('own sentences', read_sentences('')),
  Subject('BERT', read_bert),
  Subject('classifier', read_classifier),
  Subject('shop', read_shop),
  Subject('MovieLens', read_movielens),
  Subject('crop', read_model, artifact=True),
  Subject('export, safetensors', read_model, artifact=True),
  Subject('export, hub', read_model, artifact=True),
  Subject('export, pykeen', read_verified, artifact=True),
  Subject('run', read_run, artifact=True),
  Subject('run, checkpoints', read_run, artifact=True),
  Subject('prepared graph', read_store, artifact=True),
  Subject('model of a prepared graph', read_model, artifact=True),
  Subject('study', read_study, artifact=True),
)
BY_NAME = {subject.name: subject for subject in SUBJECTS}
