"""Folders in the form of OpenKE."""

import pytest

from medjax.data import triples
from medjax.errors import DataError

FILES = {
  'entity2id.txt': '3\nAsh\t0\nBig Elm\t2\nFir\t1\n',
  'relation2id.txt': '2\nnear\t1\nkin of\t0\n',
  'train2id.txt': '4\n0 2 1\n2 1 0\n1 0 1\n0 1 1\n',
  'valid2id.txt': '1\n2\t0\t1\n',
  'test2id.txt': '1\n1 2 0\n',
}


def write(folder, **changed):
  for name, content in (FILES | {f'{name}2id.txt': content for name, content in changed.items()}).items():
    if content is not None:
      (folder / name).write_text(content)
  return folder


def named(graph, split):
  return [(graph.entities[h], graph.relations[r], graph.entities[t]) for h, r, t in getattr(graph, split)]


@pytest.mark.parametrize('columns', ['hrt', 'htr'])
def test_it_is_read_with_its_names(tmp_path, columns):
  graph = triples.read_folder(write(tmp_path), columns)
  assert graph.entities == graph.entity_labels == ('Ash', 'Big Elm', 'Fir') and graph.relations == ('kin of', 'near')
  assert named(graph, 'train')[:2] == [('Ash', 'near', 'Big Elm'), ('Big Elm', 'kin of', 'Fir')]
  assert named(graph, 'valid') == [('Big Elm', 'near', 'Ash')] and named(graph, 'test') == [
    ('Fir', 'kin of', 'Big Elm')
  ]
  assert graph.notes[0].startswith("train2id.txt: read as OpenKE's")


def test_names_and_splits_may_lack(tmp_path):
  graph = triples.read_folder(write(tmp_path, entity=None, valid=None, test=None))
  assert graph.entities == ('0', '1', '2') and graph.relations == ('kin of', 'near')
  assert 'entity2id.txt: not there, so numbers stand for names' in graph.notes
  assert any('no triples for valid and test' in note for note in graph.notes)


def test_a_folder_with_another_train_is_read_by_that(tmp_path):
  (write(tmp_path) / 'train.txt').write_text('Ash\tnear\tFir\n')
  for split in ('valid', 'test'):
    (tmp_path / f'{split}.txt').write_text('Fir\tnear\tAsh\n')
  assert triples.read_folder(tmp_path).relations == ('near',)


@pytest.mark.parametrize(
  'changed, words',
  [
    ({'train': '5\n0 2 1\n2 1 0\n'}, r'train2id.txt, line 1: the count is 5, but 2 lines follow'),
    ({'entity': '4\nAsh\t0\n'}, r'entity2id.txt, line 1: the count is 4, but 1'),
    ({'test': '1\n1 2\n'}, r'test2id.txt, line 2.*not the numbers'),
    ({'test': '1\n0 ² 1\n'}, r'test2id.txt, line 2.*not the numbers'),
    ({'test': f'1\n0 {"9" * 5000} 1\n'}, r'test2id.txt, line 2.*not the numbers'),
    ({'test': '1\na r b\n'}, r'test2id.txt, line 2.*not the numbers'),
    ({'train': '2\n0 1 2\n0 1 1\n'}, r'train2id.txt, line 2: relation2id.txt has no number 2.*check their order'),
    ({'test': '1\n0 9 1\n'}, r'test2id.txt, line 2: entity2id.txt has no number 9'),
    ({'entity': '2\nAsh\t0\nElm\n'}, r'entity2id.txt, line 3: no name and number'),
    ({'entity': '2\nAsh\t0\nElm\t0\n'}, r'entity2id.txt, line 3: the number 0 a second time'),
    ({'entity': '2\nAsh\t0\nAsh\t1\n'}, r'1 names are given twice'),
  ],
)
def test_faults_name_the_file_and_line(tmp_path, changed, words):
  with pytest.raises(DataError, match=words):
    triples.read_folder(write(tmp_path, **changed))


def test_other_columns_are_refused(tmp_path):
  with pytest.raises(DataError, match='Leave data.columns out'):
    triples.read_folder(write(tmp_path), 'thr')
