"""GLUE's files, as GLUE ships them: columns, headers, quotes, packed files, and what a faulty line is told."""

import gzip

import numpy as np
import pytest

from medjax import config as config_lib
from medjax import errors
from medjax.bert import glue
from medjax.config.text import TextDataConfig

# the first lines of every task's train.tsv, as they are shipped
MNLI = ['index', 'promptID', 'pairID', 'genre']
MNLI += [f'sentence{place}_{kind}' for kind in ('binary_parse', 'parse') for place in (1, 2)]
MNLI += ['sentence1', 'sentence2', 'label1', 'gold_label']
LINES = {
  'cola': (None, ['gj04\t1\t\tShe said "yes.', 'gj04\t0\t*\tHim goes.']),
  'sst2': ('sentence\tlabel', ['a "gem \t1', 'no wit\t0']),
  'mrpc': (
    'Quality\t#1 ID\t#2 ID\t#1 String\t#2 String',
    ['1\t7\t8\tHe said " no .\tNo , he said .', '0\t9\t10\tA .\tB .'],
  ),
  'stsb': (
    'index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore',
    ['0\tmain\tf\t2012\t1\tnone\tnone\tA plane.\tAn air plane.\t5.000', '1\tm\tf\t12\t4\tn\tn\tA.\tB.\t0.25'],
  ),
  'qqp': (
    'id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate',
    ['1\t2\t3\tWhy?\tHow come?\t1', '4\t5\t6\tcut off', '7\t8\t9\tWho?\tWhere?\t0'],
  ),
  'mnli': (
    '\t'.join(MNLI),
    ['\t'.join([*'12345678', 'A.', 'B.', 'neutral', gold]) for gold in ('neutral', 'contradiction')],
  ),
  'qnli': ('index\tquestion\tsentence\tlabel', ['0\tWhen?\tIn 1900.\tentailment', '1\tWho?\tIt is.\tnot_entailment']),
  'rte': ('index\tsentence1\tsentence2\tlabel', ['0\tA.\tB.\tnot_entailment', '1\tC.\tD.\tentailment']),
  'wnli': ('index\tsentence1\tsentence2\tlabel', ['0\tA.\tB.\t1', '1\tC.\tD.\t0']),
}
FOUND = {  # the sentences and labels of the two lines, by hand
  'cola': (['She said "yes.', 'Him goes.'], [1, 0]),
  'sst2': (['a "gem', 'no wit'], [1, 0]),
  'mrpc': ([('He said " no .', 'No , he said .'), ('A .', 'B .')], [1, 0]),
  'stsb': ([('A plane.', 'An air plane.'), ('A.', 'B.')], [5.0, 0.25]),
  'qqp': ([('Why?', 'How come?'), ('Who?', 'Where?')], [1, 0]),
  'mnli': ([('A.', 'B.')] * 2, [1, 2]),
  'qnli': ([('When?', 'In 1900.'), ('Who?', 'It is.')], [0, 1]),
  'rte': ([('A.', 'B.'), ('C.', 'D.')], [1, 0]),
  'wnli': ([('A.', 'B.'), ('C.', 'D.')], [1, 0]),
}


def write(path, header, lines):
  path.parent.mkdir(parents=True, exist_ok=True)
  path.write_text('\n'.join([*([header] if header else []), *lines]) + '\n', encoding='utf-8')
  return path


def settings(root, task, **fields):
  return TextDataConfig(task=task, root=str(root), hold_out=0.0, **fields)


@pytest.mark.parametrize('task', glue.FORMS)
def test_every_task_is_read_as_it_is_shipped(task, tmp_path):
  write(tmp_path / 'glue' / glue.FORMS[task].folder / 'train.tsv', *LINES[task])
  source = glue.find(settings(tmp_path, task))
  found = source.read('train')
  assert (found.sentences, found.labels.tolist()) == FOUND[task] and found.left_out == (task == 'qqp')
  assert found.labels.dtype == (np.float32 if task == 'stsb' else np.int32)
  assert len(source.form.classes) == {'stsb': 0, 'mnli': 3}.get(task, 2) and source.splits == ('train',)


def test_packed_files_marks_and_ends_of_lines_of_other_systems_change_nothing(tmp_path):
  folder = tmp_path / 'SST-2'
  folder.mkdir()
  text = '\ufeffsentence\tlabel\r\nna\u00efve\u2028joke\x85 here\t0\r\n'
  (folder / 'train.tsv.gz').write_bytes(gzip.compress(text.encode()))
  assert glue.find(settings(tmp_path, 'sst2')).read('train').sentences == ['na\u00efve\u2028joke\x85 here']


def test_splits_are_the_files_that_there_are(tmp_path):
  for name in ('train', 'dev_matched', 'dev_mismatched'):
    write(tmp_path / 'MNLI' / f'{name}.tsv', *LINES['mnli'])
  assert glue.find(settings(tmp_path, 'mnli')).splits == ('train', 'dev', 'dev_mismatched')
  lines = ['main\tf\t2012\t1\t2.5\tA.\tB.\thttp://a\thttp://b']
  write(tmp_path / 'STS-B' / 'train.tsv', *LINES['stsb'])
  write(tmp_path / 'STS-B' / 'sts-test-original.csv', None, lines)
  found = glue.find(settings(tmp_path, 'stsb')).read('test')
  assert found.sentences == [('A.', 'B.')] and found.labels.tolist() == [2.5]
  with pytest.raises(errors.DataError, match=r"no split 'dev' of stsb; there are train, test"):
    glue.find(settings(tmp_path, 'stsb')).read('dev')


def test_what_is_held_out_is_the_rest_of_train(tmp_path):
  write(tmp_path / 'train.tsv', 'sentence\tlabel', [f's{i}\t{"ab"[i % 2]}' for i in range(40)])
  own = TextDataConfig(task='', path=str(tmp_path), hold_out=0.25)
  train, valid = (glue.find(own).read(split) for split in ('train', 'valid'))
  assert len(valid.sentences) == 10 and set(train.sentences).isdisjoint(valid.sentences)
  assert {*train.sentences, *valid.sentences} == {f's{i}' for i in range(40)}
  assert valid.sentences == glue.find(own).read('valid').sentences


def test_tables_of_ones_own_are_read_by_the_names_of_their_columns(tmp_path):
  write(tmp_path / 'train.tsv', 'id\tmood\tone\ttwo', ['1\tsad\ta\tb', '2\tglad\tc\td', '3\tcalm\te\tf'])
  own = TextDataConfig(task='', path=str(tmp_path), first='one', second='two', label='mood', hold_out=0.0)
  source = glue.find(own)
  assert source.form.classes == ('calm', 'glad', 'sad') and source.form.metrics == ('accuracy',)
  assert source.read('train').labels.tolist() == [2, 1, 0] and source.read('train').sentences[1] == ('c', 'd')
  write(tmp_path / 'train.tsv', 'sentence\tlabel', ['a\t1.5', 'b\t-2e3'])
  number = glue.find(TextDataConfig(task='', path=str(tmp_path), kind='regression', hold_out=0.0))
  assert number.form.metrics == ('pearson', 'spearman') and number.read('train').labels.tolist() == [1.5, -2000.0]


@pytest.mark.parametrize(
  'task, lines, words',
  [
    ('sst2', ['good\tpositive'], r"train.tsv, line 2: 'positive' is no class in the column 'label'; .* 0, 1"),
    ('rte', ['0\tA.\tB.\t1'], r"line 2: '1' is no class .* entailment, not_entailment"),
    ('sst2', ['fine\t1', 'a\tb\t1'], r"line 3: it has 3 columns, not 2: 'a.tb.t1'; mend the line"),
    ('sst2', ['fine\t1', '', 'b\t1'], r'line 3: it has 1 columns'),
    ('stsb', ['0\tm\tf\t1\t1\tn\tn\tA.\tB.\tnan'], r"line 2: 'nan' is no number"),
    ('sst2', [], r'has no sentences; is it cut off'),
  ],
)
def test_faulty_lines_are_told(task, lines, words, tmp_path):
  write(tmp_path / glue.FORMS[task].folder / 'train.tsv', LINES[task][0], lines)
  with pytest.raises(errors.DataError, match=words):
    glue.find(settings(tmp_path, task)).read('train')


def test_files_that_cannot_be_read_and_places_that_are_not_there_are_told(tmp_path, monkeypatch):
  monkeypatch.delenv('MEDJAX_DATA_ROOT', raising=False)
  with pytest.raises(errors.DataError, match='where is GLUE'):
    glue.find(TextDataConfig(task='sst2'))
  with pytest.raises(errors.DataError, match=r'there is no train.tsv \(or .gz\) in .*glue/SST-2 or .*SST-2; name'):
    glue.find(settings(tmp_path, 'sst2'))
  path = write(tmp_path / 'SST-2' / 'train.tsv', 'index\tsentence', ['0\ta'])
  with pytest.raises(
    errors.DataError, match=r"line 1: there is no column 'label', but 'index', 'sentence'; .* without"
  ):
    glue.find(settings(tmp_path, 'sst2')).read('train')
  path.write_bytes(b'sentence\tlabel\n\xff\t1\n')
  with pytest.raises(errors.DataError, match='train.tsv, line 2: byte .* is not UTF-8'):
    glue.find(settings(tmp_path, 'sst2')).read('train')
  with path.open('wb') as file:
    file.truncate(2**40)
  with pytest.raises(errors.DataError, match='zero byte'):
    glue.find(settings(tmp_path, 'sst2')).read('train')
  path.unlink()
  path.with_suffix('.tsv.gz').write_bytes(gzip.compress(b'sentence\tlabel\n' * 2**16) * 80)
  with pytest.raises(errors.TooLarge, match='train.tsv.gz: .* unpack to more'):
    glue.find(settings(tmp_path, 'sst2')).read('train')
  with pytest.raises(errors.DataError, match='a table of your own is a folder'):
    glue.find(TextDataConfig(task='', path=str(tmp_path)))
  write(tmp_path / 'train.tsv', 'sentence\tlabel', ['a\tb', 'c\tb'])
  with pytest.raises(errors.DataError, match='has one class'):
    glue.find(TextDataConfig(task='', path=str(tmp_path)))


def test_data_are_known_again_by_their_hash(tmp_path):
  write(tmp_path / 'RTE' / 'train.tsv', *LINES['rte'])
  found = glue.find(settings(tmp_path, 'rte')).read('train')
  other = found._replace(labels=1 - found.labels)
  assert glue.digest(found) == glue.digest(found.take(np.arange(2))) != glue.digest(other)
  assert config_lib.TextConfig().data.task == 'sst2'
