"""Commands: expected mistakes give one clear line and exit code 2."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from medjax import cli
from medjax.experiments import commands
from medjax.report import metrics
from medjax.saved import workdir as workdir_lib


@pytest.fixture
def command(tiny_config, capsys):
  """A function that runs a command in this process and returns (exit code, what stderr says)."""

  def run(mode, workdir, fields=(), **flags):
    code = cli.run(mode, tiny_config(fields), str(workdir), flags)
    return code, capsys.readouterr().err

  return run


def check_refused(answer, *words):
  code, error = answer
  assert code == 2 and re.search('^error: ', error, re.MULTILINE) and 'Traceback' not in error
  for word in words:
    assert str(word) in error


@pytest.mark.parametrize(
  'fields, words',
  [
    ({'model.score': 'rotat'}, ['config.model.score', "did you mean 'rotate'?"]),
    ({'model.widths': '7'}, ['width 7', 'multiples of 2']),
    ({'train.learning_rate': float('inf')}, ['config.train.learning_rate=inf', 'finite']),
    ({'data.path': '/nowhere/triples'}, ['/nowhere/triples', 'Give a folder']),
    ({'data.path': '', 'data.name': 'wn18'}, ["data.name is 'wn18'", 'Did you mean wn18rr']),
    ({'data.header': 'no', 'data.columns': 'hrx'}, ["data.columns is 'hrx'", "'hrt' in some order"]),
  ],
)
def test_training_refuses_a_bad_configuration(command, tmp_path, fields, words):
  check_refused(command('train', tmp_path / 'run', fields), *words)
  assert not (tmp_path / 'run').exists()


def test_training_refuses_the_workdir_of_another_configuration(command, trained):
  check_refused(
    command('train', trained, {'train.learning_rate': 0.5, 'model.gamma': 2.0}),
    trained,
    'model.gamma: 6.0 there, 2.0 now',
    'train.learning_rate: 0.005 there, 0.5 now',
    'another --workdir',
  )


def test_training_refuses_other_data_in_a_workdir(command, trained, tmp_path):
  check_refused(command('train', trained, {'data.path': str(tmp_path)}), 'data.path', tmp_path)


def test_training_refuses_a_folder_of_something_else(command, tmp_path):
  (tmp_path / 'thesis.tex').write_text('years of work')
  check_refused(command('train', tmp_path), tmp_path, 'thesis.tex', 'another --workdir')
  assert os.listdir(tmp_path) == ['thesis.tex']


def test_training_refuses_a_cropped_model_as_workdir(command, trained, tmp_path):
  commands.crop(trained, 8, tmp_path / 'small', with_triples=True)
  check_refused(command('train', tmp_path / 'small'), 'model.safetensors', 'another --workdir')


def test_training_refuses_a_workdir_in_use(command, trained):
  with workdir_lib.sole_trainer(trained):
    check_refused(command('train', trained), 'another process is training in', trained, 'another --workdir')


def test_training_goes_on_after_a_kill_between_the_files_of_a_new_workdir(command, tmp_path, trained):
  for name in ('entities.tsv', 'notes.txt', 'model.json'):
    shutil.copy(trained / name, tmp_path)
  (tmp_path / 'config.json.tmp').write_text('{"na')
  assert command('train', tmp_path)[0] == 0


def test_fields_that_do_not_touch_the_training_may_change(command, trained, tmp_path):
  workdir = shutil.copytree(trained, tmp_path / 'run')
  assert command('train', workdir, {'eval.extra_widths': '6'})[0] == 0
  widths = [line.split(',')[0] for line in (workdir / 'results.csv').read_text().splitlines()[1:]]
  assert widths == ['4', '6', '8', '12']


@pytest.mark.parametrize(
  'mode, flags',
  [
    ('evaluate', {}),
    ('crop', {'width': 8, 'output': 'out'}),
    ('predict', {'head': 'e00', 'relation': 'next'}),
  ],
)
@pytest.mark.parametrize('exists', [True, False])
def test_what_is_no_workdir_is_refused(command, tmp_path, mode, flags, exists):
  workdir = tmp_path if exists else tmp_path / 'nowhere'
  check_refused(
    command(mode, workdir, **flags),
    workdir / 'model.json',
    'is missing',
    'a medjax workdir or cropped model?',
  )


def test_a_workdir_without_checkpoints_is_refused(command, trained, tmp_path):
  for name in ('entities.tsv', 'relations.tsv', 'triples.npz', 'notes.txt', 'model.json', 'config.json'):
    shutil.copy(trained / name, tmp_path)
  check_refused(command('evaluate', tmp_path), tmp_path / 'checkpoints', 'holds no checkpoint', 'train first')


@pytest.mark.parametrize(
  'width, words',
  [(10, ['width 10 was not trained', '8, 12']), (14, ['width 14 was not trained', '12']), (-4, ['width -4'])],
)
@pytest.mark.parametrize(
  'mode, flags', [('evaluate', {}), ('crop', {'output': 'out'}), ('predict', {'head': 'e00', 'relation': 'next'})]
)
def test_a_width_that_was_not_trained_is_refused(command, trained, tmp_path, mode, flags, width, words):
  flags = {name: str(tmp_path / 'out') if name == 'output' else value for name, value in flags.items()}
  check_refused(command(mode, trained, width=width, **flags), *words)
  assert not (tmp_path / 'out').exists()


def test_a_crop_needs_a_width_and_an_output(command, trained, tmp_path):
  check_refused(command('crop', trained, width=8), '--output=DIR')
  check_refused(command('crop', trained, output=str(tmp_path / 'out')), '--width=N')


def test_an_extraction_needs_an_output_and_widths(command, trained, tiny_config, tmp_path):
  check_refused(command('extract', trained), '--output=DIR')
  check_refused(command('extract', trained, output=str(tmp_path / 'out'), by='value', widths='4,14'), 'width 12 to 14')
  commands.crop(trained, 4, tmp_path / 'one', with_triples=True)
  check_refused(command('extract', tmp_path / 'one', output=str(tmp_path / 'out')), 'one width', '--widths=')
  check_refused(command('extract', trained, output=str(tmp_path / 'one')), tmp_path / 'one', 'name a new one')


def test_a_crop_overwrites_nothing(command, trained, tmp_path):
  (tmp_path / 'file').write_text('mine')
  check_refused(command('crop', trained, width=8, output=str(tmp_path)), tmp_path, 'name a new one')
  check_refused(command('crop', trained, width=8, output=str(tmp_path / 'file')), tmp_path / 'file', 'name a new one')
  assert (tmp_path / 'file').read_text() == 'mine'


@pytest.mark.parametrize(
  'flags, words',
  [
    ({'head': 'e000', 'relation': 'next'}, ["no entity 'e000'", "'e00'"]),
    ({'head': 'e00', 'relation': 'nxt'}, ["no relation 'nxt'", "'next'"]),
    ({'head': 'e00'}, ['--relation']),
    ({'relation': 'next'}, ['--head', '--tail']),
    ({'head': 'e00', 'relation': 'next', 'tail': 'e01'}, ['two of --head, --relation and --tail']),
  ],
)
def test_a_bad_question_is_refused(command, trained, flags, words):
  check_refused(command('predict', trained, **flags), *words)


def test_a_full_disk_outside_a_checkpoint_is_one_line(command, tmp_path, monkeypatch):
  def write(self, step, values):
    raise OSError(28, 'No space left on device')

  monkeypatch.setattr(metrics.Writer, 'write', write)
  check_refused(command('train', tmp_path), 'No space left', 'free some space')


def test_inspection_prints_what_was_understood(tiny_config, own_data, capsys):
  assert cli.run('inspect', tiny_config(), None, {}, ['config.data.path']) == 0
  printed = capsys.readouterr().out
  for words in ('30 entities, 3 relations', 'train.tsv: text, 3 columns', 'mirror', 'to think about'):
    assert words in printed
  assert cli.run('inspect', tiny_config({'data.path': str(own_data / 'nothing')}), None, {}) == 2
  assert cli.run('inspect', tiny_config(), None, {}, ['config.train.steps']) == 2


def test_prediction_prints_labels_and_ranks(trained, tiny_config, capsys):
  assert (
    cli.run(
      'predict', tiny_config(), str(trained), {'width': 8, 'relation': 'next', 'tail': 'E05', 'k': 4, 'new': True}
    )
    == 0
  )
  printed = capsys.readouterr().out.splitlines()
  assert printed[0] == '? next E05 (width 8)'
  assert printed[1].split() == ['label', 'score', 'rank', 'known']
  assert len(printed) == 6 and not any(split in line for line in printed for split in ('train', 'valid', 'test'))


@pytest.mark.parametrize(
  'mode, flags',
  [
    ('train', {'k': 3}),
    ('evaluate', {'new': True}),
    ('crop', {'split': 'valid'}),
    ('predict', {'by': 'loss'}),
    ('extract', {'k': 3}),
    ('report', {'by': 'loss'}),
  ],
)
def test_a_flag_that_the_mode_does_not_read_is_refused(command, trained, mode, flags):
  check_refused(command(mode, trained, **flags), *flags, 'has no meaning with', mode)


@pytest.mark.parametrize(
  'arguments, words',
  [
    (['--mode=evaluate', '--config.eval.batch=8'], ['config.eval.batch', 'has no meaning with --mode=evaluate']),
    (['--config.train.lerning_rate=1'], ['config.train.lerning_rate', "did you mean 'learning_rate'?"]),
    (['--config.train.steps=abc'], ['config.train.steps=abc', 'invalid literal']),
  ],
)
def test_the_real_command_line_is_checked(repository, tmp_path, arguments, words):
  done = subprocess.run(
    [sys.executable, repository / 'launch.py', *arguments], cwd=tmp_path, capture_output=True, text=True
  )
  check_refused((done.returncode, done.stderr), *words)
  assert not any(tmp_path.iterdir())


@pytest.mark.parametrize('name', ['run[1]', 'a b*?', '-dash', '\udcff'])
def test_a_workdir_of_any_name_is_trained_in_renamed_and_loaded(command, tmp_path, name):
  workdir = tmp_path / name
  assert command('train', workdir)[0] == 0
  moved = workdir.rename(tmp_path / '[x] plain')
  assert command('predict', moved, head='e00', relation='next')[0] == 0
  assert command('crop', moved, width=4, output=str(tmp_path / 'crop[1]'), with_triples=True)[0] == 0
  assert command('evaluate', tmp_path / 'crop[1]')[0] == 0
  assert command('train', moved)[0] == 0  # goes on


def test_a_tilde_is_the_home_folder(command, tmp_path, monkeypatch, trained):
  monkeypatch.setenv('HOME', str(tmp_path))
  shutil.copytree(trained, tmp_path / 'run')
  assert command('crop', '~/run', width=4, output='~/small')[0] == 0
  assert (tmp_path / 'small' / 'model.json').exists()


def test_an_export_and_an_import_say_what_they_need(command, trained, trained_complex, tmp_path):
  out = str(tmp_path / 'out')
  check_refused(command('export', trained, output=out), '--format', 'safetensors, numpy')
  check_refused(command('export', trained, format='numpy'), '--output=DIR')
  check_refused(command('export', trained_complex, format='nmpy', output=out), "did you mean 'numpy'?")
  check_refused(command('export', trained, format='faiss', output=out), 'rotate scores have no metric')
  check_refused(command('crop', trained, width=8, dtype='int4', output=str(tmp_path / 'crop')), '--dtype=int4')
  check_refused(command('import', trained, format='pykeen', output=out), '--source=FOLDER_OR_FILE')
  other = str(tmp_path / 'other')
  check_refused(command('import', trained, format='kbc', source='none.pt', output=other), '--source=none.pt', 'no such')


def test_an_export_tells_its_files(tiny_config, trained_complex, tmp_path, capsys):
  flags = {'format': 'numpy', 'width': 8, 'dtype': 'float16', 'output': str(tmp_path / 'out')}
  assert cli.run('export', tiny_config(), str(trained_complex), flags) == 0
  told = capsys.readouterr().out
  assert told.startswith(f'width 8 of {trained_complex} -> {tmp_path / "out"} (numpy, ')
  assert told.endswith('entities.npy, entities.tsv, manifest.json, relations.npy, relations.tsv\n')
