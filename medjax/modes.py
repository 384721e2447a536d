"""What the command line can ask for: one table of modes, the function of each, its flags, and what it reads.

What a mode needs is imported when it is called, so that a command starts as fast as what it does.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TYPE_CHECKING

from medjax import ending, errors
from medjax.config.fields import Config

if TYPE_CHECKING:
  from medjax.applications.settings import Applications
  from medjax.experiments.study import Study


def train(config: Config, workdir: str) -> None:
  """Trains a run, or goes on with it, and says what to do with it.

  Reads the graph that the section `data` of the configuration names. Writes the workdir: checkpoints, metrics.jsonl,
  results.csv and results.png (one row per width), cost.json. Ctrl-C saves and stops; the same command goes on.

  A croppable BERT is trained by a configuration of bert/, see bert.md.

    medjax train --config=wn18rr/rotate --config.train.steps=4000 --workdir=runs/a
    medjax train --config.data.path=facts.csv --config.name=facts
  """
  from medjax.experiments import closing, runs, strength
  from medjax.training import processes

  if config.parallel.distributed:
    processes.initialize()
  with processes.together(lambda error: ending.end(error, goes_on=True)):
    runs.train(strength.find(config, workdir), workdir)
  if processes.first():
    closing.show(workdir)


def study(config: 'Study', workdir: str) -> None:
  """Trains what a study still lacks, and reports on it.

  Reads a configuration that returns a Study: arms of configurations, of which validation picks one each. Writes a run
  for each into the workdir, and study.csv.

    medjax study --config=study/wn18rr_rotate
  """
  from medjax.experiments import study

  study.run(config, workdir)


def application(config: 'Applications', workdir: str) -> None:
  """Trains what the applications of a shop still lack, and measures them.

  Reads a configuration of configs/applications/ and the shop that it names. Writes the workdir: the graph, a run of
  every method below models, and what labelling, recommendation and completion reach at every width.

    medjax application --config=applications/movielens
  """
  from medjax.applications import command

  command.run(config, workdir)


def distill(config: Config, workdir: str, widths: str | None = None) -> None:
  """Trains a teacher and a chain of distilled students.

  Reads the configuration of the teacher; config.distill.method is bkd, ta, dualde or iterde. Writes a run for each of
  --widths into the workdir.

    medjax distill --config=distill/umls --widths=160,80,40,20,10 --config.distill.method=ta
  """
  from medjax.experiments import distillation

  distillation.run(config, workdir, widths)


def compare(config: Config, workdir: str, widths: str | None = None) -> None:
  """Trains MED and everything that it is compared with.

  Reads the configuration of MED's run; every one of --widths is trained directly, extracted and distilled besides.
  Writes the runs into the workdir, and a report on them.

    medjax compare --config=baselines:wn18rr-rotate --widths=160,40,10
  """
  from medjax.experiments import comparison

  comparison.run(config, workdir, widths)


def inspect(config: Config, workdir: str) -> None:
  """Prints a first look at a graph; nothing is trained.

  Reads what the section `data` of the configuration names, and tells how its files were understood.

    medjax inspect --config.data.path=facts.csv
  """
  from medjax.experiments import commands

  commands.inspect(config)


def prepare(config: Config, workdir: str, output: str | None = None) -> None:
  """Prepares a graph that is larger than memory.

  Reads the files that the section `data` of the configuration names. Writes --output, a folder that
  --config.data.path=FOLDER maps into memory. Needs the extra `big`.

    medjax prepare --config.data.path=facts --output=stores/facts
  """
  from medjax.experiments import commands

  commands.prepare(config, output)


def evaluate(config: Config, workdir: str, **flags: Any) -> None:
  """Ranks the test triples at every width.

  Reads a run or cropped model (--workdir). Writes results.csv, results-detail.csv and results.png into it, under
  another name where something else than the test split is ranked among all entities.

    medjax evaluate --workdir=runs/a
    medjax evaluate --workdir=runs/a --split=valid --candidates=500
    medjax evaluate --workdir=small --config.data.name=wn18rr
  """
  from medjax.experiments import evaluating

  evaluating.evaluate(workdir, **flags)


def crop(config: Config, workdir: str, **flags: Any) -> None:
  """Writes a sub-model as a model of its own.

  Reads a run or cropped model (--workdir). Writes --output, a new folder with the tables of that width and the names,
  which medjax.load reads without JAX.

    medjax crop --workdir=runs/a --width=40 --output=small
    medjax crop --workdir=runs/a --width=40 --output=small --with_triples --dtype=float16
  """
  from medjax.experiments import commands

  commands.crop(workdir, **flags)


def export(config: Config, workdir: str, **flags: Any) -> None:
  """Writes a sub-model in the format of another library.

  Reads a run or cropped model (--workdir). Writes --output, a new folder. The formats: safetensors, numpy, word2vec,
  parquet, faiss, usearch, hnswlib, hub, pykeen; some need the extra of their name. Of a croppable BERT: huggingface.

    medjax export --workdir=runs/a --width=40 --format=faiss --output=index
  """
  from medjax.experiments import commands

  commands.export(workdir, **flags)


def import_model(config: Config, workdir: str, **flags: Any) -> None:
  """Makes a medjax model of another library's.

  Reads --source and the graph that it was trained on. Writes --output, a new folder. The formats: pykeen, dglke, rotate
  and kbc.

    medjax import --format=pykeen --source=results --config.data.name=umls --output=imported
  """
  from medjax.experiments import commands

  commands.import_model(config, **flags)


def extract(config: Config, workdir: str, **flags: Any) -> None:
  """Writes a model's most important components.

  Reads a run (--workdir), of which the training triples say what is important. Writes --output, a new folder with a
  model that has all of --widths inside, and evaluates it.

    medjax extract --workdir=runs/a --by=loss --widths=10,40 --output=extracted
  """
  from medjax.experiments import commands

  commands.extract(workdir, **flags)


def predict(config: Config, workdir: str, **flags: Any) -> None:
  """Answers a question, or a file of questions.

  Reads a run or cropped model (--workdir). Two of --head, --relation and --tail make a question; --queries names a file
  of them. Prints the answers, or writes them to --output. A croppable BERT is asked by --text, and --second of a pair.

    medjax predict --workdir=runs/quickstart --head=France --relation=borders --width=40
    medjax predict --workdir=small --queries=asked.tsv --format=csv --output=answers.csv
    medjax predict --workdir=runs/bert-sst2 --text='A film of rare charm.' --width=96
  """
  from medjax.serve import ask

  ask.ask(workdir, form=flags.pop('format', 'table'), **flags)


def choose(config: Config, workdir: str, **flags: Any) -> None:
  """Says which width to crop to.

  Reads an evaluated run (--workdir). Prints what every width keeps of the full MRR, weighs and takes.

    medjax choose --workdir=runs/a --keep=0.95
  """
  from medjax.experiments import choosing

  choosing.choose(workdir, **flags)


def calibrate(config: Config, workdir: str, **flags: Any) -> None:
  """Makes probabilities of scores.

  Reads a run or a crop with triples (--workdir). Writes calibration.json and a plot into it; predictions have a
  probability from then on.

    medjax calibrate --workdir=runs/a
  """
  from medjax.experiments import calibration

  calibration.calibrate(workdir, **flags)


def report(config: Config, workdir: str, **flags: Any) -> None:
  """Compares all runs below a folder.

  Reads the runs below --workdir. Writes report.md with its figures, report.csv and report.tex into --output, or
  into its folder `report`; with --format=html one page that needs no network, see report-page.md.

    medjax report --workdir=runs
    medjax report --workdir=runs --format=html
  """
  form = flags.pop('format', 'tables')
  if form == 'html':
    from medjax.report.page import html

    html.write(workdir, **flags)
  elif form == 'tables':
    from medjax.report.figures import folder

    folder.report(workdir, **flags)
  else:
    raise errors.UsageError(f'--format={form}: a report is written as tables (the default) or as html')


def verify(config: Config, workdir: str, **flags: Any) -> None:
  """Looks whether files are as they were written, without loading them.

  Reads a run, cropped model, export or prepared graph (--workdir). Prints what became of every file: ok, changed,
  missing or unlisted; the exit code is not 0 where one is damaged. With --accept it first writes a new manifest of the
  files as they are, for what was written before there were any, or changed on purpose.

    medjax verify --workdir=small
    medjax verify --workdir=runs/old --accept
  """
  from medjax.saved import verification

  verification.show(workdir, **flags)


class Mode(NamedTuple):
  """What the command line can ask for.

  Attributes:
    run: (config, workdir, **flags) -> nothing.
    flags: that it takes.
    reads: the beginning of the configuration's fields that it reads; None: the workdir has all of it.
  """

  run: Callable[..., None]
  flags: tuple[str, ...] = ()
  reads: str | None = None


MODES = {
  'train': Mode(train, reads='config.'),
  'study': Mode(study, reads='config.'),
  'application': Mode(application, reads='config.'),
  'distill': Mode(distill, ('widths',), 'config.'),
  'compare': Mode(compare, ('widths',), 'config.'),
  'inspect': Mode(inspect, reads='config.data.'),
  'prepare': Mode(prepare, ('output',), 'config.data.'),
  'evaluate': Mode(evaluate, ('split', 'triples', 'relation', 'width', 'ranks', 'candidates'), 'config.data.'),
  'crop': Mode(crop, ('width', 'output', 'with_triples', 'dtype')),
  'export': Mode(export, ('width', 'output', 'format', 'dtype', 'push_to', 'with_triples')),
  'import': Mode(import_model, ('source', 'output', 'format', 'score'), 'config.data.'),
  'extract': Mode(extract, ('by', 'widths', 'output', 'seed')),
  'predict': Mode(
    predict, ('head', 'relation', 'tail', 'queries', 'width', 'k', 'new', 'format', 'output', 'text', 'second')
  ),
  'choose': Mode(choose, ('keep', 'max_bytes', 'max_ms')),
  'calibrate': Mode(calibrate, ('seed',)),
  'report': Mode(report, ('output', 'widths', 'format')),
  'verify': Mode(verify, ('accept',)),
}
