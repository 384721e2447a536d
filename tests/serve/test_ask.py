"""Questions on the command line, one or a file of them, in every form."""

import csv
import io
import json
import pathlib
import subprocess
import sys

import pytest

import medjax
from medjax import errors
from medjax.experiments import commands
from medjax.serve import ask


@pytest.fixture(scope='module')
def crop(trained, tmp_path_factory):
  folder = tmp_path_factory.mktemp('ask') / 'crop'
  commands.crop(trained, 8, folder, with_triples=True)
  return folder


def test_a_question_has_the_answers_of_the_model(crop, capsys):
  expected = medjax.load(crop).predict_tails('e00', 'next', k=3)
  text = ask.ask(crop, 'e00', 'next', k=3)
  assert capsys.readouterr().out == text
  title, header, *lines = text.splitlines()
  assert title == 'e00 next ? (width 8)' and header.split() == ['label', 'score', 'rank', 'known']
  assert [line.split()[0] for line in lines] == expected['label'].tolist()
  of_json = json.loads(ask.ask(crop, 'e00', 'next', k=3, form='json'))
  assert [row['label'] for row in of_json['answers']] == expected['label'].tolist() and of_json['tail'] is None
  rows = [*csv.DictReader(io.StringIO(ask.ask(crop, 'e00', 'next', k=3, form='csv')))]
  assert [row['known'] for row in rows] == expected['known'].tolist()
  assert ask.ask(crop, relation='next', tail='e05', k=1).startswith('? next e05 (width 8)')
  assert ask.ask(crop, head='e00', tail='e05', width=4, k=1).startswith('e00 ? e05 (width 4)')


@pytest.mark.parametrize('suffix', ['.csv', '.tsv', '.json', '.jsonl'])
def test_a_file_of_questions_is_answered_like_each(crop, tmp_path, suffix):
  asked = [{'head': 'e00', 'relation': 'next', 'tail': '?'}, {'head': '', 'relation': 'third', 'tail': 'e05'}]
  path, between = tmp_path / f'asked{suffix}', {'.csv': ',', '.tsv': '\t'}.get(suffix)
  if between:
    path.write_text('\n'.join(between.join(row) for row in (asked[0], *(each.values() for each in asked))) + '\n')
  else:
    path.write_text(json.dumps(asked) if suffix == '.json' else '\n'.join(map(json.dumps, asked)))
  ask.ask(crop, queries=path, k=2, form='json', output=tmp_path / 'out.json')
  rows = json.loads((tmp_path / 'out.json').read_text())
  model = medjax.load(crop)
  assert [row['tail'] for row in rows[:2]] == model.predict_tails('e00', 'next', k=2)['label'].tolist()
  assert [row['head'] for row in rows[2:]] == model.predict_heads('third', 'e05', k=2)['label'].tolist()
  assert ask.ask(crop, queries=path, k=2, form='csv').count('\n') == 5


@pytest.mark.parametrize(
  'name, text, words',
  [
    ('a.csv', 'head,relation,object\nx,y,z\n', 'columns are head, relation, object'),
    ('a.json', '{', 'cannot be read as json'),
    ('a.txt', '', 'queries are read from .csv'),
    ('a.json', '[{"head": "x"}, null]', 'cannot be read as json'),
    ('a.json', '[{"head": ' + '[' * 99999, 'cannot be read as json'),
    ('none.csv', None, 'no such file'),
  ],
)
def test_a_wrong_file_is_refused_by_name(crop, tmp_path, name, text, words):
  if text is not None:
    (tmp_path / name).write_text(text)
  with pytest.raises(errors.DataError, match=words) as caught:
    ask.ask(crop, queries=tmp_path / name)
  assert name in str(caught.value)


@pytest.mark.skipif(not pathlib.Path('/dev/zero').exists(), reason='this system has no endless device')
def test_an_endless_file_of_questions_is_refused_at_once(crop, tmp_path):
  (tmp_path / 'a.json').symlink_to('/dev/zero')
  with pytest.raises(errors.DataError, match='a.json is no file'):
    ask.ask(crop, queries=tmp_path / 'a.json')


@pytest.mark.parametrize('given', [{}, {'head': 'e00'}, {'head': 'a', 'relation': 'b', 'tail': 'c'}])
def test_a_question_has_two_parts(crop, given):
  with pytest.raises(errors.UsageError, match='two of --head, --relation and --tail'):
    ask.ask(crop, **given)


def test_a_terminal_gets_no_control_characters_and_no_endless_labels():
  text = ask.table([{'label': 'x' * 5000, 'score': 1.0}, {'label': '\x1b[31mred', 'score': 2.0}])
  assert '\x1b' not in text and '\\x1b[31mred' in text and max(map(len, text.splitlines())) < 80
  assert ask.table([]) == 'no answers\n'


def test_a_question_starts_neither_jax_nor_pandas(crop, repository):
  code = (
    'import sys; from medjax import arguments\n'
    'assert arguments.run(sys.argv) == 0\n'
    'found = {"jax", "pandas", "matplotlib", "orbax", "flax", "scipy"} & set(sys.modules)\n'
    'sys.exit(str(found) if found else 0)'
  )
  flags = [f'--workdir={crop}', '--mode=predict', '--head=e00', '--relation=next']
  done = subprocess.run(
    [sys.executable, '-c', code, *flags], cwd=repository, capture_output=True, text=True, check=False
  )
  assert done.returncode == 0 and 'e00 next ?' in done.stdout, done.stderr
