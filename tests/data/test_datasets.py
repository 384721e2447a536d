"""From a configuration to a graph."""

import os
import re

import pytest

from medjax import data, errors
from medjax.config import DataConfig
from medjax.data import datasets, download

SPLITS = {'train.txt': 'a\tr\tb\nb\tr\tc\n', 'valid.txt': 'a\tr\tc\n', 'test.txt': 'c\tr\ta\n'}


@pytest.fixture(autouse=True)
def no_root(monkeypatch):
  root = os.environ.get('MEDJAX_DATA_ROOT', '')
  monkeypatch.delenv('MEDJAX_DATA_ROOT', raising=False)
  return root


def write(folder):
  folder.mkdir(parents=True)
  for name, content in SPLITS.items():
    (folder / name).write_text(content)
  return folder


def test_registry_is_well_formed():
  assert set(data.REGISTRY) == {
    'world',
    'wn18rr',
    'fb15k237',
    'codex-s',
    'codex-m',
    'codex-l',
    'yago3-10',
    'umls',
    'kinship',
    'nations',
    'countries-s1',
    'countries-s2',
    'countries-s3',
    'wikidata5m',
    'wikikg2',
  }
  for name, source in data.REGISTRY.items():
    assert source.about and source.licence
    assert set(source.blobs) == (set() if name == 'world' or source.large else set(SPLITS))
    for large in source.large:
      known = re.fullmatch('[0-9a-f]{64}', large.sha256)
      assert large.url.startswith('https://') and large.members and (known or source.counts)
    for file in source.files + ((source.archive.file,) if source.archive else ()):
      assert re.fullmatch(r'https://raw\.githubusercontent\.com/[\w-]+/[\w-]+/[0-9a-f]{40}/[\w./-]+', file.url)
      assert re.fullmatch('[0-9a-f]{40}', file.blob)
    assert all(re.fullmatch('[0-9a-f]{40}', blob) for blob in source.blobs.values())


def test_world_is_the_default():
  graph = data.load(DataConfig())
  assert graph.name == 'world' and 'CC BY 4.0' in graph.notes[0]


def test_path_wins_over_name(tmp_path):
  graph = data.load(DataConfig(name='nonsense', path=str(write(tmp_path / 'mine'))))
  assert graph.name == 'mine' and len(graph.train) == 2


def test_one_file_is_split(tmp_path):
  path = tmp_path / 'facts.csv'
  path.write_text('head,tail,relation\n' + ''.join(f'e{i % 6},e{i % 7},r\n' for i in range(42)))
  graph = data.load(DataConfig(path=str(path), columns='htr', split='0.6,0.2,0.2', split_seed=3))
  assert [len(graph.train), len(graph.valid), len(graph.test)] == [25, 9, 8]
  with pytest.raises(errors.DataError, match='data.split'):
    data.load(DataConfig(path=str(path), columns='htr', split='0.6,0.2'))


@pytest.mark.parametrize(
  'change, words',
  [
    ({'name': 'wn18r'}, "'wn18r'.*Did you mean wn18rr"),
    ({'name': 'codexm'}, None),
    ({'name': 'zzz'}, 'Registered: world, wn18rr'),
    ({'path': 'no/such/place'}, 'data.path.*neither'),
    ({'columns': 'hhh'}, 'data.columns'),
    ({'header': 'perhaps'}, 'data.header'),
    ({'name': 'umls', 'root': 'no/such/place'}, 'data.root.*no folder'),
  ],
)
def test_bad_configurations(change, words):
  if words is None:
    assert datasets.find_name(change['name']) == 'codex-m'
    return
  with pytest.raises(errors.DataError, match=words):
    data.load(DataConfig(**change))


@pytest.mark.parametrize('folder', ['fb15k237', 'fb15k-237', 'FB15k-237'])
def test_local_copies_by_any_spelling(tmp_path, monkeypatch, folder):
  write(tmp_path / folder)
  monkeypatch.setenv('MEDJAX_DATA_ROOT', str(tmp_path))
  graph = data.load(DataConfig(name='FB15k-237'))
  assert graph.name == 'fb15k237' and graph.num_entities == 3
  assert graph.notes[0].startswith('licence: Microsoft Research')
  assert any('train.txt, valid.txt, test.txt: not the published content' in note for note in graph.notes)


def test_root_wins_over_the_environment(tmp_path, monkeypatch):
  write(tmp_path / 'a' / 'umls')
  (tmp_path / 'b').mkdir()
  monkeypatch.setenv('MEDJAX_DATA_ROOT', str(tmp_path / 'b'))
  graph = data.load(DataConfig(name='umls', root=str(tmp_path / 'a')))
  assert f'read from {tmp_path / "a" / "umls"}' in graph.notes


def test_download_into_the_cache(tmp_path, monkeypatch):
  blob = download.git_blob_id
  site = 'https://example.org'
  files = tuple(download.File(name, f'{site}/{name}', blob(text.encode())) for name, text in SPLITS.items())
  labels = b'{"a": {"label": "Alpha"}}'
  source = datasets.REGISTRY['codex-s']
  files += (download.File('entities.json', f'{site}/e', blob(labels)),)
  source = type(source)('x', 'free', files)
  monkeypatch.setitem(datasets.REGISTRY, 'codex-s', source)
  fetched = []

  def serve(self, url, output_file, keeper):
    fetched.append(url)
    name = url.rpartition('/')[2]
    output_file.write(SPLITS[name].encode() if name in SPLITS else labels)

  monkeypatch.setattr('pooch.HTTPDownloader.__call__', serve)
  config = DataConfig(name='codex-s', cache=str(tmp_path / 'cache'))
  for _ in range(2):
    graph = data.load(config)
    assert graph.entity_labels == ('Alpha', 'b', 'c') and graph.notes[0] == 'licence: free'
    assert f'read from {tmp_path / "cache" / "codex-s"}' in graph.notes
  assert len(fetched) == 4


@pytest.mark.parametrize('name', ['wn18rr', 'fb15k237', 'codex-m', 'umls', 'nations'])
def test_local_copies_are_the_published_files(no_root, name):
  if not no_root:
    pytest.skip('set MEDJAX_DATA_ROOT to a folder of local copies')
  folder = datasets._local_folder(DataConfig(root=no_root), name)
  if folder is None:
    pytest.skip(f'MEDJAX_DATA_ROOT holds no {name}')
  assert datasets._difference(folder, data.REGISTRY[name]) == ()
