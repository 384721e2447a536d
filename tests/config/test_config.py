"""Configurations: what is refused, and with which words."""

import pytest

from medjax import config as config_lib
from medjax import errors, usage
from medjax.config import help as help_lib
from medjax.config import rules, shipped
from medjax.kge import settings as settings_lib


def resolve(**fields):
  config = config_lib.Config()
  for field, value in fields.items():
    config_lib.put(config, field.replace('__', '.'), value)
  return settings_lib.resolve(config)


def test_defaults_are_valid():
  config = resolve()
  assert settings_lib.model_widths(config).full == 640
  assert config_lib.from_flat(config_lib.flatten(config)) == config


REFUSED = [
  ({'model__score': 'rotat'}, ["config.model.score='rotat'", "did you mean 'rotate'?", 'transe']),
  ({'train__decay': 'lin'}, ["config.train.decay='lin'", 'linear, constant']),
  ({'train__batch': 15}, ['config.train.batch=15', 'even']),
  ({'train__share_negatives': 3}, ['config.train.share_negatives=3', 'divide', 'config.train.batch=']),
  ({'train__steps': -5}, ['config.train.steps=-5', 'at least 1']),
  ({'train__steps': 2**31}, ['config.train.steps=2147483648', 'at most']),
  ({'train__steps': 'abc'}, ["config.train.steps='abc'", 'of type int, not str']),
  ({'train__filter_negatives': 1}, ['config.train.filter_negatives=1', 'of type bool']),
  ({'model__widths': (10, 20)}, ['config.model.widths=(10, 20)', 'of type str']),
  ({'train__learning_rate': float('nan')}, ['config.train.learning_rate=nan', 'finite']),
  ({'train__learning_rate': float('inf')}, ['config.train.learning_rate=inf', 'finite']),
  ({'objective__w1': float('nan')}, ['config.objective.w1=nan', 'finite']),
  ({'data__split_seed': -1}, ['config.data.split_seed=-1', 'at least 0']),
  (
    {'objective__sub_models': 'ladder:1'},
    ["config.objective.sub_models='ladder:1'", 'a K of 2 or more'],
  ),
  ({'train__tracker': 'wandbb'}, ["config.train.tracker='wandbb'", "did you mean 'wandb'?", 'module:function']),
  ({'eval__patience': 3}, ['config.eval.patience=3', 'set config.eval.every']),
  ({'eval__extra_widths': '700'}, ["config.eval.extra_widths='700'", '640']),
]


@pytest.mark.parametrize('fields, words', REFUSED, ids=[','.join(f'{k}={v}' for k, v in r[0].items()) for r in REFUSED])
def test_a_bad_value_is_named_with_its_remedy(fields, words):
  with pytest.raises(errors.ConfigError) as caught:
    resolve(**fields)
  for word in words:
    assert word in str(caught.value)


@pytest.mark.parametrize(
  'field, text, words',
  [
    ('model__widths', '0,10', ["'0,10'", 'start at 1 or more']),
    ('model__widths', '20,10', ["'20,10'", 'increase']),
    ('model__widths', 'abc', ["'abc'", '10:640:10']),
    ('model__widths', '', ["''", '10:640:10']),
    ('model__widths', '10:65:10', ["'10:65:10'", 'do not reach 65', '60']),
    ('model__widths', '10:60:0', ["'10:60:0'", '10:640:10']),
    ('model__widths', '7', ['width 7', 'multiples of 2']),
    ('eval__extra_widths', '15', ['width 15', 'multiples of 2']),
    ('eval__widths', '15,20', ['width 15', '10, 20']),
  ],
)
def test_bad_widths_are_named_with_their_remedy(field, text, words):
  with pytest.raises(errors.WidthError) as caught:
    resolve(**{field: text})
  for word in words:
    assert word in str(caught.value)


@pytest.mark.parametrize(
  'arguments, words',
  [
    (['--config.train.lerning_rate=1'], ['config.train.lerning_rate', "did you mean 'learning_rate'?"]),
    (['--config.trian.steps=1'], ['config.trian.steps', "did you mean 'train'?"]),
    (['--config.train.steps.more=1'], ['train.steps has no field', 'it is a value']),
    (['--config.train=1'], ['config.train is a section', 'train.steps']),
    (['--noconfig.objective.mutal'], ["did you mean 'mutual'?"]),
    (['--config=configs/nope.py'], ['--config=configs/nope.py', 'no such file']),
    (['--config', 'nope.py:rotate'], ['--config=nope.py:rotate', 'no such file']),
  ],
)
def test_a_bad_command_line_is_named_with_its_remedy(arguments, words):
  with pytest.raises(errors.ConfigError) as caught:
    config_lib.resolve_arguments(arguments)
  for word in words:
    assert word in str(caught.value)


def test_a_good_command_line_passes():
  good = [
    f'--config={__file__}:rotate',
    '--config.train.steps=3',
    '--noconfig.objective.mutual',
    '--workdir=nope.py',
    '-config.name=a',
  ]
  assert config_lib.resolve_arguments(good) == good


@pytest.mark.parametrize('name', ['wn18rr/rotate', 'configs/wn18rr/rotate.py', 'wn18rr/rotate.py'])
@pytest.mark.parametrize('form', [['--config={}:simple'], ['--config', '{}:simple'], ['-config={}:simple']])
def test_configurations_that_come_along_are_found_from_any_folder(repository, tmp_path, monkeypatch, name, form):
  monkeypatch.chdir(tmp_path)
  words = [word.format(name) for word in form]
  assert config_lib.resolve_arguments(words) == [f'--config={repository / "configs" / "wn18rr" / "rotate.py"}:simple']


def test_a_file_that_is_here_comes_first(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  (tmp_path / 'configs').mkdir()
  (tmp_path / 'configs' / 'umls.py').touch()
  assert config_lib.resolve_arguments(['--config=configs/umls.py']) == ['--config=configs/umls.py']
  assert config_lib.resolve_arguments(['--config=umls']) != ['--config=umls']


def test_every_configuration_that_comes_along_has_a_summary(repository):
  names = shipped.names()
  assert set(names.values()) == set((repository / 'configs').rglob('*.py')) and 'study/scores' in names
  assert all(len(shipped.summary(path)) > 20 for path in names.values())


@pytest.mark.parametrize(
  'fields, words',
  [
    ({'train__negatives': 0}, ['train.negatives=0', "loss='softmax'"]),
    ({'objective__loss': 'softmax', 'objective__weights': 'learned'}, ["weights='learned'", "'fixed'"]),
    ({'objective__regularizer': 'n3'}, ["regularizer='n3'", 'rotate is a distance']),
  ],
)
def test_losses_that_do_not_fit_are_named(fields, words):
  with pytest.raises(errors.ConfigError) as caught:
    resolve(**fields)
  for word in words:
    assert word in str(caught.value)


def test_the_paper_fixes_its_fields():
  config = resolve(objective__name='paper')
  assert config.objective.evolutionary and config.objective.weights == 'learned' and config.model.width_scale == 'none'


def test_a_preset_refuses_what_it_would_overwrite():
  with pytest.raises(errors.ConfigError, match="mutual_weight=7.0: .*name='paper' fixes it to 0.5"):
    resolve(objective__name='paper', objective__mutual_weight=7.0)


def test_presets_and_limits_name_fields_that_exist():
  named = {
    *rules.CHOICES,
    *rules.AT_LEAST,
    *config_lib.FREE,
    *(field for preset in config_lib.PRESETS.values() for field in preset),
  }
  assert named <= config_lib.flatten(config_lib.Config()).keys()


def test_differences_name_what_would_train_differently_only():
  old, new = resolve(), resolve(train__learning_rate=0.1, data__path='mine', eval__batch=7, train__keep=5)
  lines = config_lib.describe_difference(old, new)
  assert [line.split(':')[0] for line in lines] == ['data.path', 'train.learning_rate']
  assert '0.005 there, 0.1 now' in lines[1]


def test_configs_are_never_shared():
  first, second = config_lib.Config(), config_lib.Config()
  first.train.steps = 3
  assert second.train.steps != 3


def test_a_misspelt_field_in_a_file_raises():
  with pytest.raises(AttributeError):
    config_lib.Config().train.lerning_rate = 1.0


def test_help_tells_every_field_with_its_default_and_a_sentence():
  fields = config_lib.flatten(config_lib.Config())
  said, text = help_lib.comments(), help_lib.text()
  assert set(said) == set(fields) and all(len(sentence) > 5 for sentence in said.values())
  assert said['train.batch'] == 'positives per step; half of them corrupt the tail, half the head'
  assert said['objective.weights'].endswith('all kept in [0, 5])')  # over two lines
  lines = text.splitlines()
  for field, value in fields.items():
    place = next(i for i, line in enumerate(lines) if line.startswith(f'  --config.{field}='))
    assert lines[place].endswith(f'={value!r}') and lines[place + 1].strip()
  assert max(map(len, lines)) <= 100
  some = help_lib.text(100, help_lib.matching('config.parallel'))
  assert '--config.parallel.mode=' in some and '--config.train.steps=' not in some
  assert set(help_lib.matching('config')) == set(fields) and help_lib.matching('nothing') == []


def test_help_tells_every_field_of_a_bert_too():
  fields, kind = config_lib.flatten(config_lib.TextConfig()), config_lib.TextConfig
  said = help_lib.comments(kind)
  assert set(said) == set(fields) and all(len(sentence) > 5 for sentence in said.values())
  assert said['data.hold_out'].endswith('validates nothing') and said['name'] == 'the default workdir is runs/<name>'
  assert "--config.objective.name='med'" in help_lib.text(100, help_lib.matching('objective', kind), kind)
  assert '--config.bert.reorder=False' in usage.topic('bert.reorder')
  both = usage.topic('train.batch')
  assert '--config.train.batch=512' in both and '--config.train.batch=32' in both
