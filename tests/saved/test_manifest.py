"""Manifests: no flipped bit is loaded, files are named with the remedy, and a kill leaves nothing that seems so."""

import random
import shutil

import numpy as np
import pytest

import medjax
from medjax import cli, config, errors
from medjax.experiments import calibration, commands, evaluating, runs
from medjax.report import metrics
from medjax.saved import checkpoint, checkpoint_folders, manifest, sealing, verification
from medjax.serve.interop import exports
from tests.serve import models

FLIPS = 12  # of a file


@pytest.fixture
def cropped(trained, tmp_path):
  commands.crop(trained, 8, tmp_path / 'cropped', with_triples=True)
  return tmp_path / 'cropped'


@pytest.fixture
def run(trained, tmp_path):
  return shutil.copytree(trained, tmp_path / 'run')


def flip(path, bit):
  content = bytearray(path.read_bytes())
  content[bit // 8] ^= 1 << bit % 8
  path.write_bytes(content)


def silent(folder, read, draw, flips=FLIPS):
  """The files of a folder of which a flipped bit is read without an error of ours."""
  found = []
  for path in sorted(path for path in folder.rglob('*') if path.is_file() and path.stat().st_size):
    for bit in draw.sample(range(path.stat().st_size * 8), flips):
      flip(path, bit)
      try:
        read()
        found.append(path.name)
      except errors.MedjaxError as error:
        assert path.name in str(error)
      flip(path, bit)
  return found


def test_no_flipped_bit_of_a_crop_is_loaded(cropped):
  assert silent(cropped, lambda: medjax.load(cropped), random.Random(0)) == []
  medjax.load(cropped)


def test_no_flipped_bit_of_a_checkpoint_is_restored(run):
  folder = run / 'checkpoints' / '40'
  assert len([path for path in folder.rglob('*') if path.is_file()]) > 15
  assert silent(folder, lambda: check(run, 40), random.Random(1), flips=2) == []
  check(run, 40)


def check(run, step):
  checkpoints = checkpoint.Checkpoints(run / 'checkpoints', read_only=True)
  checkpoints._check_whole(step)
  checkpoints.close()


@pytest.mark.parametrize('format', ['safetensors', 'numpy', 'word2vec', 'faiss', 'pykeen', 'web'])
def test_no_flipped_bit_of_an_export_is_verified(tmp_path, format):
  model = models.make_model('transe')
  exports.export(model, tmp_path / 'out', format)
  assert not medjax.verify(tmp_path / 'out').damaged

  def read():
    if damaged := medjax.verify(tmp_path / 'out').damaged:
      raise errors.ArtifactError(damaged[0])

  assert silent(tmp_path / 'out', read, random.Random(2)) == []


@pytest.mark.parametrize('name', ['model.json', 'model.safetensors', 'entities.tsv', 'relations.tsv', 'triples.npz'])
@pytest.mark.parametrize(
  'change', [lambda path: path.unlink(), lambda path: path.write_bytes(path.read_bytes() + b'\n')]
)
def test_a_file_that_is_missing_or_longer_is_named_with_the_remedy(cropped, name, change):
  change(cropped / name)
  with pytest.raises(errors.ArtifactError, match='manifest.json beside it.*restore it from a copy') as caught:
    medjax.load(cropped)
  assert str(cropped / name) in str(caught.value)


def test_a_result_that_was_changed_is_named_with_the_command_that_makes_it_again(run):
  (run / 'widths.csv').write_text((run / 'widths.csv').read_text().replace('1', '2'))
  medjax.load(run)  # which reads none of it
  with pytest.raises(errors.ArtifactError, match=r'widths.csv is damaged.*`medjax evaluate --workdir='):
    medjax.choose(run)
  (run / 'widths.csv').unlink()
  evaluating.evaluate(run)
  assert not medjax.verify(run).damaged


def test_what_no_manifest_names_is_loaded_and_told(cropped, capsys):
  (cropped / manifest.FILE).unlink()
  medjax.load(cropped)
  assert capsys.readouterr().err.count('\n') == 1
  assert set(medjax.verify(cropped).files.values()) == {'no manifest'}
  medjax.verify(cropped, accept=True)
  medjax.load(cropped)
  assert capsys.readouterr().err == ''


def test_a_run_with_all_that_is_made_of_it_is_whole(run, monkeypatch):
  monkeypatch.setattr(calibration, 'FEWEST', 5)
  calibration.calibrate(run)
  evaluating.evaluate(run, split='valid', ranks=True)
  found = medjax.verify(run)
  assert not found.damaged
  made = ('calibration.json', 'results.csv', 'results-valid-ranks.npz', 'cost.json', 'metrics.jsonl')
  assert {found.files[name] for name in (*made, 'metrics.jsonl, up to step 20')} == {'ok'}


def test_a_kill_while_a_file_is_renewed_leaves_it_unlisted(run):
  with pytest.raises(KeyboardInterrupt), sealing.renewing(run, 'results.csv'):
    (run / 'results.csv').write_text('half')
    raise KeyboardInterrupt
  assert medjax.verify(run).files['results.csv'] == 'unlisted'


def test_verifying_tells_every_file_and_ends_with_a_failure(cropped, capsys):
  assert cli.run('verify', config.Config(), str(cropped), {}) == 0
  assert capsys.readouterr().out.splitlines()[-1] == f'{cropped}: 6 ok'
  flip(cropped / 'notes.txt', 3)
  (cropped / 'relations.tsv').unlink()
  (cropped / 'own.txt').write_text('mine')
  assert cli.run('verify', config.Config(), str(cropped), {}) == 2
  out, err = capsys.readouterr()
  lines = dict(line.split() for line in out.splitlines()[:-1])
  assert (lines['notes.txt'], lines['relations.tsv'], lines['own.txt']) == ('changed', 'missing', 'unlisted')
  assert err.count('\n') == 1 and '2 of 7 files are damaged' in err
  assert cli.run('verify', config.Config(), str(cropped.parent), {}) == 2
  assert 'holds no run, cropped model, export or prepared graph' in capsys.readouterr().err


def test_a_run_goes_on_from_the_newest_whole_checkpoint_and_ends_alike(run, trained, tiny_config, capsys):
  path = max((run / 'checkpoints' / '40' / 'rest').rglob('d/*'), key=lambda path: path.stat().st_size)
  flip(path, path.stat().st_size * 4)
  assert [name for name in medjax.verify(run).damaged if path.name in name]
  with pytest.raises(errors.ArtifactError, match=r'the newest whole checkpoint is that of step 20'):
    verification.show(run)
  capsys.readouterr()
  runs.train(tiny_config(), run)
  err = capsys.readouterr().err
  assert f'step 40 is damaged (rest/{path.relative_to(run / "checkpoints/40/rest")} was changed)' in err
  assert (run / 'damaged' / '40').is_dir() and not medjax.verify(run).damaged
  assert (run / 'results.csv').read_text() == (trained / 'results.csv').read_text()
  steps = [line['step'] for line in metrics.read(trained)]
  assert [line['step'] for line in metrics.read(run)] == steps


def test_a_run_without_a_whole_checkpoint_does_not_begin_anew(run, tiny_config):
  for step in (20, 40):
    flip(run / 'checkpoints' / str(step) / 'manifest.json', 300)
  with pytest.raises(errors.CheckpointError, match='none of the checkpoints .* is whole: step 20 .*; step 40 '):
    runs.train(tiny_config(), run)
  assert checkpoint_steps(run) == [20, 40]


def test_a_checkpoint_that_was_killed_before_its_manifest_is_trained_again_and_ends_alike(
  run, trained, tiny_config, capsys
):
  (run / 'checkpoints' / '40' / manifest.FILE).unlink()
  runs.train(tiny_config(), run)
  err = capsys.readouterr().err
  assert (
    f'step 40 has no {manifest.FILE}, so it was killed as it was written, and was moved to {run / "damaged"}' in err
  )
  assert 'the newest whole checkpoint is that of step 20' in err
  assert (run / 'results.csv').read_text() == (trained / 'results.csv').read_text()
  assert not {'no manifest', 'changed'} & {*medjax.verify(run).files.values()}


@pytest.mark.parametrize('older', [False, True])
def test_the_only_checkpoint_is_gone_on_from_without_its_manifest(run, older):
  shutil.rmtree(run / 'checkpoints' / '20')
  (run / 'checkpoints' / '40' / manifest.FILE).unlink()
  if older:  # as a version without manifests left it
    (run / manifest.FILE).unlink()
  lines = checkpoint_folders.set_damaged_aside(run / 'checkpoints')
  assert checkpoint_steps(run) == [40]
  assert lines == [] if older else 'as there is no other, it is gone on from' in lines[-1]


def checkpoint_steps(run):
  return sorted(int(path.name) for path in (run / 'checkpoints').iterdir())


def test_a_model_of_a_damaged_checkpoint_is_not_loaded_but_that_of_another_is(run):
  path = max((run / 'checkpoints' / '40' / 'model').rglob('d/*'), key=lambda path: path.stat().st_size)
  flip(path, 99)
  with pytest.raises(errors.CheckpointError, match='Delete that folder to go on from step 20'):
    medjax.load(run, step=40)
  assert np.isfinite(medjax.load(run, step=20).score('e00', 'next', 'e01'))


BEHIND = (b'{}\n', b'\xff\n', b'{"step": 30, "lo', b'[]\n', b'{"step": "x"}\n', b'[' * 100000 + b'\n')
DAMAGES = (lambda path: flip(path, 200), lambda path: path.unlink(), lambda path: path.write_text(''))


def recorded(run, step):
  """What a checkpoint says that metrics.jsonl held."""
  checkpoints = checkpoint.Checkpoints(run / 'checkpoints', read_only=True, beside=run / metrics.FILE)
  return checkpoints.grown(step)


@pytest.mark.parametrize('line', BEHIND, ids=range(len(BEHIND)))
def test_lines_of_metrics_behind_a_checkpoint_are_written_again(run, line):
  sealing.drop(run, [metrics.FILE])  # as an interrupted run has it
  path, entry = run / metrics.FILE, recorded(run, 20)
  whole = path.read_bytes()[: entry[0]]
  path.write_bytes(whole + line)
  metrics.Writer(run, 20, recorded=entry).close()
  assert path.read_bytes() == whole and {line['step'] for line in metrics.read(run)} == {20}


@pytest.mark.parametrize('damage', DAMAGES, ids=['flipped', 'missing', 'empty'])
def test_metrics_that_a_training_goes_on_from_are_what_the_checkpoint_recorded(run, damage):
  sealing.drop(run, [metrics.FILE])
  damage(run / metrics.FILE)
  with pytest.raises(errors.ArtifactError, match=r'metrics.jsonl is (missing|damaged: its first .* step 40 recorded)'):
    metrics.Writer(run, 40, recorded=recorded(run, 40))


@pytest.mark.parametrize('line', [b'{}', b'\xff', b'{"step": 30, "lo', b'[]', b'{"step": true}', b'[' * 100000, b'nan'])
def test_a_line_that_holds_no_metrics_is_named(tmp_path, line):
  (tmp_path / metrics.FILE).write_bytes(b'{"step": 10, "loss": NaN}\n' + line + b'\n{"step": 20, "loss": 1.0}\n')
  with pytest.raises(errors.ArtifactError, match=r'metrics.jsonl is damaged.*line 2 holds no metrics'):
    metrics.read(tmp_path)
  (tmp_path / metrics.FILE).write_bytes(b'{"step": 10, "loss": 1.0}\n' + line)
  assert metrics.read(tmp_path) == [{'step': 10, 'loss': 1.0}]


def test_a_manifest_of_other_folders_is_refused(cropped):
  for name in ('../model.json', '/etc/passwd', 'a\0b', ''):
    sealing._write(cropped, manifest.Manifest({name: (1, '0' * 32)}, {}))
    with pytest.raises(errors.ArtifactError, match='manifest.json is damaged'):
      medjax.load(cropped)


def test_a_narrow_width_is_checked_by_what_is_read_of_it(run):
  expected = medjax.load(run, width=4, step=40).params['entity']
  path = max((run / 'checkpoints' / '40' / 'model').rglob('d/*'), key=lambda path: path.stat().st_size)
  draw, refused = random.Random(4), 0
  for bit in draw.sample(range(path.stat().st_size * 8), 24):
    flip(path, bit)
    try:
      found = medjax.load(run, width=4, step=40).params['entity']  # where the bit is not read, nothing is wrong
      assert all(np.array_equal(found[name], expected[name]) for name in expected)
    except errors.CheckpointError as error:
      refused += 'checkpoints/40 is damaged' in str(error)
    with pytest.raises(errors.CheckpointError, match='checkpoints/40 is damaged'):
      medjax.load(run, step=40)
    flip(path, bit)
  assert refused


def test_a_damaged_metric_of_a_checkpoint_does_not_decide_which_is_best(run):
  for step in (20, 40):
    path = run / 'checkpoints' / str(step) / 'metrics' / 'metrics'
    content = path.read_bytes()
    path.write_bytes(content.replace(b'0.', b'1.', 1))
    with pytest.raises(errors.CheckpointError, match=f'checkpoints/{step} is damaged .*metrics was changed'):
      medjax.load(run)
    path.write_bytes(content)
