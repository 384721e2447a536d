"""The flags of the command line, and from its words to one call of `cli.run`."""

from collections.abc import Sequence
import difflib
import os
import sys

from absl import app, flags
from ml_collections import config_flags

from medjax import cli, config, ending, errors, modes, usage
from medjax.config import shipped
from medjax.core import files, terminal

MODE = flags.DEFINE_enum('mode', 'train', list(modes.MODES), 'What to do; the first word of a command is one too.')
WORKDIR = flags.DEFINE_string('workdir', None, 'Folder of the run; runs/<config name> if not given.')
TRACEBACK = flags.DEFINE_bool('traceback', False, 'Show where an error came from; $MEDJAX_TRACEBACK=1 does it always.')
LINKS = flags.DEFINE_bool('follow_links', False, 'Read and write through links; $MEDJAX_FOLLOW_LINKS=1 does it always.')
OPTIONS = (
  flags.DEFINE_integer('width', None, 'A trained width; the full one if not given.'),
  flags.DEFINE_string('output', None, 'Folder for what is written; of answers, the file.'),
  flags.DEFINE_string('format', None, 'Of exports, imports, as faiss; of answers: table, csv, json; of reports: html.'),
  flags.DEFINE_string('source', None, 'Folder or file of a model to import.'),
  flags.DEFINE_string('score', '', 'What a PyKEEN state_dict is of, such as complex; a whole model says it itself.'),
  flags.DEFINE_string('dtype', 'float32', 'How numbers are stored: float32, float16 or int8.'),
  flags.DEFINE_string('push_to', None, 'OWNER/NAME on the Hugging Face Hub, for --format=hub.'),
  flags.DEFINE_enum('by', 'loss', ['loss', 'value', 'random'], 'What makes a component important.'),
  flags.DEFINE_string('widths', None, 'Widths to extract, distill, compare or report, as in 10,20,40.'),
  flags.DEFINE_integer('seed', 0, "Of an extraction's sample of triples or random order.", lower_bound=0),
  flags.DEFINE_integer('candidates', None, 'Rank among N drawn candidates; 0 all, -1 published.', lower_bound=-1),
  flags.DEFINE_enum('split', 'test', ['train', 'valid', 'test', 'dev', 'dev_mismatched'], 'What to evaluate on.'),
  flags.DEFINE_string('triples', None, 'A file of triples to evaluate on, by identifiers or labels.'),
  flags.DEFINE_bool('with_triples', False, 'Crops and pages carry the triples, to tell what is known.'),
  flags.DEFINE_bool('ranks', False, 'Also save the rank of every query, for figures.'),
  flags.DEFINE_string('head', None, 'The head of a question.'),
  flags.DEFINE_string('relation', None, 'The relation of a question, or the only one to evaluate.'),
  flags.DEFINE_string('tail', None, 'The tail of a question.'),
  flags.DEFINE_string('queries', None, 'A file of questions: columns head, relation, tail; blank what is asked.'),
  flags.DEFINE_string('text', None, 'The sentence that a BERT is asked.'),
  flags.DEFINE_string('second', None, 'The second sentence of a pair.'),
  flags.DEFINE_float('keep', 0.95, 'The share of the full MRR that a chosen width keeps.'),
  flags.DEFINE_integer('max_bytes', None, 'The most that the tables of a chosen width may weigh.'),
  flags.DEFINE_float('max_ms', None, 'The most milliseconds that a question to a chosen width may take.'),
  flags.DEFINE_integer('k', 10, 'How many answers.', lower_bound=1),
  flags.DEFINE_bool('accept', False, 'Take the files of a folder for whole: a new manifest of them is written.'),
  flags.DEFINE_bool('new', False, 'Leave out answers that the graph holds.'),
)
HELP = {'--help', '--helpshort', '--helpfull', '-help', '-h', '-?'}


def run(argv: Sequence[str]) -> int:
  """Runs a command line, whose first word is the program, and returns the exit code."""
  try:
    app.run(call, list(argv), flags_parser=parse)
  except SystemExit as end:
    return end.code if isinstance(end.code, int) else int(end.code is not None)
  return 0


def parse(argv: list[str]) -> list[str]:
  """Reads the flags; a mistake ends the process with one line that names it, a question with its answer."""
  try:
    if '--traceback' in argv:
      os.environ['MEDJAX_TRACEBACK'] = '1'  # of mistakes in flags too
    if '--follow_links' in argv:
      os.environ[files.FOLLOW] = '1'
    given = by_mode(argv[1:])
    if (text := answer(given)) is not None:
      terminal.say(text, flush=True)
      sys.exit(0)
    given = config.resolve_arguments(given)
    config_flags.DEFINE_config_file(
      'config', str(shipped.folder() / 'quickstart.py'), 'What to train; see help configs.'
    )
    try:
      rest = flags.FLAGS([argv[0], *given])[1:]
    except Exception as error:
      if isinstance(error, errors.MedjaxError) or (isinstance(error, flags.Error) and 'Traceback' not in str(error)):
        raise
      raise shipped.blame(error, given) from error
    if rest:
      raise errors.UsageError(
        f'unexpected arguments: {" ".join(rest)}; flags are written --name=value, and a mode is the first word'
      )
  except Exception as error:
    sys.exit(ending.end(errors.UsageError(str(error)) if isinstance(error, flags.Error) else error))
  return argv[:1]


def call(argv: list[str]) -> int:
  """Runs the command that the flags name; returns the process's exit code."""
  del argv
  given = {option.name: option.value for option in OPTIONS if option.present}
  fields = [name for name in flags.FLAGS if name.startswith('config.') and flags.FLAGS[name].present]
  return cli.run(MODE.value, flags.FLAGS.config, WORKDIR.value, given, fields)


def by_mode(arguments: Sequence[str]) -> list[str]:
  """Returns the arguments with a first word that is a mode written as a flag.

  >>> by_mode(['predict', '--head=France'])
  ['--mode=predict', '--head=France']

  Raises:
    errors.UsageError: the first word is neither a flag nor a mode, nor asks for help.
  """
  first = arguments[0] if arguments else ''
  if first in modes.MODES:
    return [f'--mode={first}', *arguments[1:]]
  if first and first != 'help' and not first.startswith('-'):
    near = difflib.get_close_matches(first, ['help', *modes.MODES], n=1)
    hint = f'did you mean {near[0]!r}? ' if near else ''
    raise errors.UsageError(f'there is no mode {first!r}; {hint}choose one of help, {", ".join(modes.MODES)}')
  return list(arguments)


def answer(arguments: Sequence[str]) -> str | None:
  """Returns what a command line that asks for help or for the version is told, or None for any other."""
  if '--version' in arguments:
    return usage.version()
  if arguments and arguments[0] == 'help':
    return '\n\n'.join(map(usage.topic, arguments[1:])) or usage.overview()
  if '--helpfull' in arguments:
    return f'{usage.overview()}\n\n{flags.FLAGS.get_help().strip()}\n\n{usage.topic("config")}'
  if HELP.isdisjoint(arguments):
    return None
  mode = next((word.partition('=')[2] for word in arguments if word.lstrip('-').startswith('mode=')), '')
  return usage.topic(mode) if mode else usage.overview()
