"""Trains, evaluates, crops, asks or reports on a croppable knowledge graph embedding model.

python launch.py                                         trains the quick start's model
python launch.py --config=configs/wn18rr/rotate.py --workdir=runs/a --config.train.steps=4000
python launch.py --mode=study --config=configs/study/wn18rr_rotate.py
python launch.py --mode=application --config=configs/applications/movielens.py
python launch.py --mode=distill --config=configs/distill/umls.py --widths=160,80,40,20,10 --config.distill.method=ta
python launch.py --mode=compare --config=configs/baselines.py:wn18rr-rotate --widths=160,40,10
python launch.py --mode=evaluate --workdir=runs/a
python launch.py --mode=crop --workdir=runs/a --width=40 --output=small
python launch.py --mode=export --workdir=runs/a --width=40 --format=faiss --output=index
python launch.py --mode=import --format=pykeen --source=results --config.data.name=umls --output=imported
python launch.py --mode=extract --workdir=runs/a --by=loss --widths=10,40 --output=extracted
python launch.py --mode=inspect --config.data.path=facts.csv
python launch.py --mode=prepare --config.data.path=facts --output=stores/facts
python launch.py --mode=predict --workdir=small --head=France --relation=borders
python launch.py --mode=choose --workdir=runs/a --keep=0.95
python launch.py --mode=calibrate --workdir=runs/a
python launch.py --mode=report --workdir=runs
"""

import contextlib
import os
import pathlib
import sys

from medjax.core import runtime

if __name__ == '__main__':
  runtime.use_huge_pages()

from absl import app, flags
from ml_collections import config_flags

import medjax
from medjax import cli, config, errors
from medjax.config import help as field_help

DEFAULT = str(pathlib.Path(__file__).parent / 'configs' / 'quickstart.py')
MODE = flags.DEFINE_enum('mode', 'train', list(cli.MODES), 'What to do.')
WORKDIR = flags.DEFINE_string('workdir', None, 'Folder of the run; runs/<config name> if not given.')
OPTIONS = (
  flags.DEFINE_integer('width', None, 'A trained width; the full one if not given.'),
  flags.DEFINE_string('output', None, 'Folder for what is written.'),
  flags.DEFINE_string('format', None, 'Of an export or import, such as faiss; of answers: table, csv, json.'),
  flags.DEFINE_string('source', None, 'Folder or file of a model to import.'),
  flags.DEFINE_string('score', '', 'What a PyKEEN state_dict is of, such as complex; a whole model says it itself.'),
  flags.DEFINE_string('dtype', 'float32', 'How numbers are stored: float32, float16 or int8.'),
  flags.DEFINE_string('push_to', None, 'OWNER/NAME on the Hugging Face Hub, for --format=hub.'),
  flags.DEFINE_enum('by', 'loss', ['loss', 'value', 'random'], 'What makes a component important.'),
  flags.DEFINE_string('widths', None, 'Widths to extract, distill, compare or report, as in 10,20,40.'),
  flags.DEFINE_integer('seed', 0, "Of an extraction's sample of triples or random order.", lower_bound=0),
  flags.DEFINE_integer('candidates', None, 'Rank among N drawn candidates; 0 all, -1 published.', lower_bound=-1),
  flags.DEFINE_enum('split', 'test', ['train', 'valid', 'test'], 'What to evaluate on.'),
  flags.DEFINE_string('triples', None, 'A file of triples to evaluate on, by identifiers or labels.'),
  flags.DEFINE_bool('with_triples', False, 'Crops and pages carry the triples, to tell what is known.'),
  flags.DEFINE_bool('ranks', False, 'Also save the rank of every query, for figures.'),
  flags.DEFINE_string('head', None, 'The head of a question.'),
  flags.DEFINE_string('relation', None, 'The relation of a question, or the only one to evaluate.'),
  flags.DEFINE_string('tail', None, 'The tail of a question.'),
  flags.DEFINE_string('queries', None, 'A file of questions: columns head, relation, tail; blank what is asked.'),
  flags.DEFINE_float('keep', 0.95, 'The share of the full MRR that a chosen width keeps.'),
  flags.DEFINE_integer('max_bytes', None, 'The most that the tables of a chosen width may weigh.'),
  flags.DEFINE_float('max_ms', None, 'The most milliseconds that a question to a chosen width may take.'),
  flags.DEFINE_integer('k', 10, 'How many answers.', lower_bound=1),
  flags.DEFINE_bool('new', False, 'Leave out answers that the graph holds.'),
)


HELP = {'--help', '--helpshort', '--helpfull', '-help', '-h', '-?'}


def answer(arguments: list[str]) -> str | None:
  """Returns what a command line that asks for help or for the version is told, or None for any other."""
  if '--version' in arguments:
    return f'medjax {medjax.__version__}'
  asked = HELP & set(arguments)
  if not asked:
    return None
  config_flags.DEFINE_config_file('config', DEFAULT, 'What to train; its fields follow as --config.a.b=c.')
  of_flags = flags.FLAGS.get_help() if '--helpfull' in asked else flags.FLAGS.main_module_help()
  return '\n\n'.join([(__doc__ or '').strip(), of_flags.strip(), field_help.text()])


def parse(argv: list[str]) -> list[str]:
  """Reads the flags; a mistake ends the process with one line that names it, a question with its answer."""
  if (text := answer(argv[1:])) is not None:
    with contextlib.suppress(BrokenPipeError):  # of a reader that has seen enough
      print(text, flush=True)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(0)
  try:
    config.check_arguments(argv[1:])
    config_flags.DEFINE_config_file('config', DEFAULT, 'What to train; fields follow as --config.a.b=c.')
    rest = flags.FLAGS(argv)[1:]
    if rest:
      raise flags.Error(f'unexpected arguments: {" ".join(rest)}; flags are written --name=value')
  except (flags.Error, errors.ConfigError) as error:
    print(f'error: {error}', file=sys.stderr)
    sys.exit(2)
  return argv[:1]


def main(argv: list[str]) -> int:
  """Runs the command that the flags name; returns the process's exit code."""
  del argv
  given = {option.name: option.value for option in OPTIONS if option.present}
  fields = [name for name in flags.FLAGS if name.startswith('config.') and flags.FLAGS[name].present]
  return cli.run(MODE.value, flags.FLAGS.config, WORKDIR.value, given, fields)


if __name__ == '__main__':
  sys.exit(app.run(main, flags_parser=parse))
