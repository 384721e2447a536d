"""Whole samples of everything that is read, small and the same every time: `hostile` spoils copies of them."""

import contextlib
import gzip
import io
import json
import pathlib
import pickle
import shutil
import tempfile
import zipfile

import numpy as np

from benchmarks import damage, spoiled
from medjax.data import store
from medjax.data.graph import Graph
from medjax.saved import graph_files, sealing
from medjax.serve.interop import names

TESTS = pathlib.Path(__file__).parents[1] / 'tests'  # has models of other libraries, and a small BERT


def triples():
  """[(head, relation, tail)] of a ring with three relations."""
  ring = ((i, name, j) for i in range(40) for name, j in (('next', i + 1), ('third', i + 3), ('mirror', 79 - i)))
  return [(f'e{i:02}', name, f'e{j % 40:02}') for i, name, j in ring]


def small_graph():
  """Nine entities and three relations, for the tables of other libraries."""
  ids, kinds = tuple(f'e{i}' for i in range(9)), tuple(f'r{i}' for i in range(3))
  rows = np.stack(np.unravel_index(np.arange(0, 240, 3), (9, 3, 9)), 1).astype(np.int32)
  return Graph('tiny', ids, kinds, rows[:60], rows[60:70], rows[70:], ids, kinds)


def foreign_graph():
  """The graph of the models that PyKEEN made for the tests."""
  place = TESTS / 'serve' / 'pykeen' / 'complex' / 'training_triples'
  ids, kinds = (names.read(place / f'{kind}_to_id.tsv.gz', 'id') for kind in ('entity', 'relation'))
  rows = np.array([(i, 1, (i + 1) % 12) for i in range(12)], np.int32)
  return Graph('ring', ids, kinds, rows[:8], rows[8:10], rows[10:], ids, kinds)


def write_text(folder):
  rows = triples()
  text = lambda separator: ''.join(separator.join(row) + '\n' for row in rows)
  (folder / 'a.tsv').write_text(text('\t'))
  (folder / 'a.csv').write_text('head,relation,tail\n' + text(','))
  (folder / 'a.txt').write_text(text(' '))
  for suffix, library in spoiled.PACKED.items():
    (folder / f'a.tsv{suffix}').write_bytes(library.compress(text('\t').encode()))


def write_rdf(folder):
  iri = lambda name: f'http://example.org/{name}'
  rows = triples()[:60]
  lines = ''.join(f'<{iri(h)}> <{iri(r)}> <{iri(t)}> .\n' for h, r, t in rows)
  labelled = f'<{iri("e00")}> <http://www.w3.org/2000/01/rdf-schema#label> "first"@en .\n'
  (folder / 'a.nt').write_text(lines + labelled)
  (folder / 'a.nt.gz').write_bytes(gzip.compress(lines.encode()))
  (folder / 'a.nq').write_text(lines.replace(' .\n', ' <http://example.org/g> .\n'))
  turtle = ''.join(f'e:{h} e:{r} e:{t} .\n' for h, r, t in rows)
  for name, text in (('a.ttl', turtle), ('a.n3', turtle), ('a.trig', f'e:g {{ {turtle} }}')):
    (folder / name).write_text(f'@prefix e: <http://example.org/> .\n{text}')
  inner = ''.join(
    f'<rdf:Description rdf:about="{iri(h)}"><e:{r} rdf:resource="{iri(t)}"/></rdf:Description>\n' for h, r, t in rows
  )
  start = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://example.org/">'
  for name in ('a.rdf', 'a.owl'):
    (folder / name).write_text(f'<?xml version="1.0"?>\n{start}\n{inner}</rdf:RDF>\n')
  nodes = [{'@id': iri(h), iri(r): [{'@id': iri(t)}]} for h, r, t in rows]
  (folder / 'a.jsonld').write_text(json.dumps(nodes))


def write_parquet(folder):
  import pandas as pd

  pd.DataFrame(triples(), columns=['head', 'relation', 'tail']).to_parquet(folder / 'a.parquet')
  pd.DataFrame(triples(), columns=['s', 'p', 'o']).astype('category').to_parquet(
    folder / 'b.parquet', compression='zstd'
  )


def write_folder(folder):
  rows = triples()
  for split, part in (('train', rows[:90]), ('valid', rows[90:105]), ('test', rows[105:])):
    (folder / f'{split}.tsv').write_text(''.join('\t'.join(row) + '\n' for row in part))
  (folder / 'entities.tsv').write_text('id\tlabel\n' + ''.join(f'e{i:02}\tentity {i}\n' for i in range(40)))
  (folder / 'relations.json').write_text(
    json.dumps({name: {'label': name.title()} for name in ('next', 'third', 'mirror')})
  )


def write_openke(folder):
  entities, relations = sorted({row[0] for row in triples()}), ['mirror', 'next', 'third']
  for name, words in (('entity2id.txt', entities), ('relation2id.txt', relations)):
    (folder / name).write_text(f'{len(words)}\n' + ''.join(f'{word}\t{i}\n' for i, word in enumerate(words)))
  rows = [(entities.index(h), entities.index(t), relations.index(r)) for h, r, t in triples()]
  for split, part in (('train', rows[:90]), ('valid', rows[90:105]), ('test', rows[105:])):
    (folder / f'{split}2id.txt').write_text(f'{len(part)}\n' + ''.join(f'{h} {t} {r}\n' for h, t, r in part))


def write_labels(folder):
  rows = [(f'Q{i}', f'entity {i}') for i in range(20)]
  (folder / 'entities.tsv').write_text('id\tlabel\n' + ''.join('\t'.join(row) + '\n' for row in rows))
  (folder / 'entities.json').write_text(json.dumps({name: {'label': label} for name, label in rows}))
  (folder / 'relations.json').write_text(json.dumps(dict(rows)))
  (folder / 'aliases.txt').write_text(''.join(f'{name}\t{label}\tother\n' for name, label in rows))
  (folder / 'entities.dict').write_text(''.join(f'{i}\t{label}\n' for i, (_, label) in enumerate(rows)))
  (folder / 'entity2id.txt').write_text('20\n' + ''.join(f'{name}\t{i}\n' for i, (name, _) in enumerate(rows)))


def write_pickled(path, value):
  """Writes a value as torch.save does, without torch."""
  with zipfile.ZipFile(path, 'w') as packed:
    packed.writestr(f'{path.stem}/data.pkl', pickle.dumps(value, 2))
    packed.writestr(f'{path.stem}/version', '3\n')


class Tensor:
  """What pickle writes as torch does: a call that makes a tensor of the numbers of a storage."""

  def __init__(self, key, shape):
    self.key, self.shape = key, shape


class TensorPickler(pickle._Pickler):
  """Writes torch's names without torch."""

  dispatch = dict(pickle._Pickler.dispatch)  # noqa: RUF012

  def save_tensor(self, tensor):
    rows, columns = tensor.shape
    self.write(b'ctorch._utils\n_rebuild_tensor_v2\n((')
    self.save('storage')
    self.write(b'ctorch\nFloatStorage\n')
    for value in (tensor.key, 'cpu', rows * columns):
      self.save(value)
    self.write(b'tQ')
    for value in (0, (rows, columns), (columns, 1), False, {}):
      self.save(value)
    self.write(b'tR')

  dispatch[Tensor] = save_tensor


def write_tensors(path, tables):
  """Writes {name: float32 [rows, columns]} as torch saves a state dictionary."""
  file = io.BytesIO()
  value = {name: Tensor(str(i), table.shape) for i, (name, table) in enumerate(tables.items())}
  TensorPickler(file, 2).dump(value)
  with zipfile.ZipFile(path, 'w') as packed:
    packed.writestr(f'{path.stem}/data.pkl', file.getvalue())
    for i, table in enumerate(tables.values()):
      packed.writestr(f'{path.stem}/data/{i}', table.astype('<f4').tobytes())


def drawn(rows, columns):
  """Normal numbers, float32 [rows, columns]."""
  return np.random.default_rng(rows * columns).normal(size=(rows, columns)).astype(np.float32)


def write_arrays(folder):
  found = {'train': np.arange(12, dtype=np.int32).reshape(4, 3), 'weights': drawn(3, 4)}
  np.savez(folder / 'a.npz', **found)
  np.savez_compressed(folder / 'b.npz', **found)
  write_pickled(folder / 'a.pt', found)
  write_tensors(folder / 'b.pkl', {'entity.weight': drawn(9, 4), 'relation.weight': drawn(3, 4)})


def write_archives(folder):
  inner = {'train.txt': b'a\tr\tb\n' * 9, 'valid.txt': b'b\tr\ta\n', 'more/readme.md': b'# about\n'}
  (folder / 'a.tar.gz').write_bytes(spoiled.tarred(inner))
  (folder / 'link.tar.gz').write_bytes(spoiled.tarred(inner | {'test.txt': b'->/etc/passwd'}))
  (folder / 'up.tar.gz').write_bytes(spoiled.tarred(inner | {'../../up.txt': b'up'}))
  for name, more in (('a.zip', {}), ('up.zip', {'../../up.txt': b'up'})):
    with zipfile.ZipFile(folder / name, 'w', zipfile.ZIP_DEFLATED) as packed:
      for member, content in (inner | more).items():
        packed.writestr(member, content)


def write_names(folder, *files):
  for file, letter, count in zip(files, 'er', (9, 3)):
    (folder / file).write_text(''.join(f'{i}\t{letter}{i}\n' for i in range(count)))


def write_dglke(folder):
  np.save(folder / 'wn_ComplEx_entity.npy', drawn(9, 8))
  np.save(folder / 'wn_ComplEx_relation.npy', drawn(3, 8))
  (folder / 'config.json').write_text(json.dumps({'model_name': 'ComplEx', 'gamma': 7.0}))
  write_names(folder, 'entities.tsv', 'relations.tsv')


def write_rotate(folder):
  np.save(folder / 'entity_embedding.npy', drawn(9, 8))
  np.save(folder / 'relation_embedding.npy', drawn(3, 4))
  (folder / 'config.json').write_text(json.dumps({'model': 'RotatE', 'gamma': 7.0, 'double_entity_embedding': True}))
  write_names(folder, 'entities.dict', 'relations.dict')


def write_kbc(folder):
  write_tensors(folder / 'a.pt', {'embeddings.0.weight': drawn(9, 8), 'embeddings.1.weight': drawn(6, 8)})
  for file, letter, count in (('ent_id', 'e', 9), ('rel_id', 'r', 3)):
    (folder / file).write_text(''.join(f'{letter}{i}\t{i}\n' for i in range(count)))


def write_wikikg2(folder):
  draw = np.random.default_rng(0)
  for name in ('split/time', 'mapping'):
    (folder / name).mkdir(parents=True)
  for split, size in (('train', 20), ('valid', 3), ('test', 3)):
    found = {name: draw.integers(0, most, size) for name, most in (('head', 9), ('relation', 2), ('tail', 9))}
    if split != 'train':
      found |= {f'{side}_neg': draw.integers(0, 9, (size, 5)) for side in ('head', 'tail')}
    write_pickled(folder / 'split' / 'time' / f'{split}.pt', found)
  entities = 'node idx,entity id\n' + ''.join(f'{i},Q{i * 7}\n' for i in range(9))
  (folder / 'mapping' / 'nodeidx2entityid.csv.gz').write_bytes(gzip.compress(entities.encode()))
  (folder / 'mapping' / 'reltype2relid.csv.gz').write_bytes(gzip.compress(b'reltype,rel id\n0,P31\n1,P279\n'))


def write_queries(folder):
  rows = [('entity 0', 'near', ''), ('', 'part of', 'entity 5'), ('entity 3', '', 'entity 4')]
  header = ('head', 'relation', 'tail')
  for name, separator in (('a.csv', ','), ('a.tsv', '\t')):
    (folder / name).write_text('\n'.join(map(separator.join, (header, *rows))) + '\n')
  records = [dict(zip(header, (part or None for part in row))) for row in rows]
  (folder / 'a.json').write_text(json.dumps(records))
  (folder / 'a.jsonl').write_text(''.join(json.dumps(record) + '\n' for record in records))


def write_asked(folder):
  text = ''.join(f'entity {i}\tnear\tentity {i + 1}\n' for i in range(20))
  (folder / 'a.tsv').write_text(text)
  (folder / 'a.csv').write_text(text.replace('\t', ','))
  (folder / 'a.tsv.gz').write_bytes(gzip.compress(text.encode()))


def write_sentences(header, rows, packed=False):
  def write(folder):
    text = '\t'.join(header) + '\n' + ''.join('\t'.join(row) + '\n' for row in rows for _ in range(10))
    (folder / 'train.tsv').write_text(text)
    (folder / 'dev.tsv').write_text(text)
    if packed:
      (folder / 'train.tsv').unlink()
      (folder / 'train.tsv.gz').write_bytes(gzip.compress(text.encode()))

  return write


def write_bert(folder):
  shutil.copytree(TESTS / 'bert' / 'tiny', folder, dirs_exist_ok=True)
  kinds = ('Transformer', 'Pooling', 'Normalize')
  modules = [
    {'idx': i, 'name': str(i), 'path': f'{i}_{kind}' if i else '', 'type': f'sentence_transformers.models.{kind}'}
    for i, kind in enumerate(kinds)
  ]
  (folder / 'modules.json').write_text(json.dumps(modules))
  (folder / '1_Pooling').mkdir()
  pooling = {'word_embedding_dimension': 32, 'pooling_mode_cls_token': False, 'pooling_mode_mean_tokens': True}
  (folder / '1_Pooling' / 'config.json').write_text(json.dumps(pooling))
  (folder / 'sentence_bert_config.json').write_text(json.dumps({'max_seq_length': 36, 'do_lower_case': False}))


def write_classifier(folder):
  import jax

  from medjax.bert import classifier, heads, model

  encoder = model.load(TESTS / 'bert' / 'tiny')
  folder.rmdir()
  classifier.Classifier(encoder, heads.init(jax.random.key(0), encoder.config, 2), ('dry', 'wet')).save(folder)
  (folder / 'manifest.json').unlink()  # by which whatever is spoiled would be found


SHOP = {
  'inter': (
    'user_id:token\titem_id:token\trating:float\ttimestamp:float',
    *(f'u{i % 7}\ti{i % 9}\t{1 + i % 5}\t{i}' for i in range(40)),
  ),
  'user': (
    'user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token',
    *(f'u{i}\t{20 + 9 * (i % 3)}\t{"MF"[i % 2]}\t{("cook", "smith")[i // 4]}\t8571{i % 2}' for i in range(7)),
  ),
  'item': (
    'item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq',
    *(f'i{i}\tFilm {i}\t{1990 + i // 2}\tDrama War' for i in range(9)),
  ),
  'kg': ('head_id:token\trelation_id:token\ttail_id:token', *(f'b{i}\tby\tann' for i in range(9))),
  'link': ('item_id:token\tentity_id:token', *(f'i{i}\tb{i}' for i in range(9))),
}


def write_shop(folder):
  for suffix, rows in SHOP.items():
    (folder / f'shop.{suffix}').write_text('\n'.join(rows) + '\n')


WRITERS = {
  'text': write_text,
  'RDF': write_rdf,
  'Parquet': write_parquet,
  'folder': write_folder,
  'OpenKE': write_openke,
  'labels': write_labels,
  'prepared': write_text,
  'arrays': write_arrays,
  'archives': write_archives,
  'PyKEEN': lambda folder: shutil.copytree(TESTS / 'serve' / 'pykeen' / 'complex', folder, dirs_exist_ok=True),
  'DGL-KE': write_dglke,
  'RotatE': write_rotate,
  'kbc': write_kbc,
  'wikikg2': write_wikikg2,
  'queries': write_queries,
  'asked triples': write_asked,
  'SST-2': write_sentences(('sentence', 'label'), (('a film', '1'), ('a dull film', '0')), packed=True),
  'RTE': write_sentences(
    ('index', 'sentence1', 'sentence2', 'label'), (('0', 'a', 'b', 'entailment'), ('1', 'b', 'a', 'not_entailment'))
  ),
  'own sentences': write_sentences(('sentence', 'label'), (('a river', 'wet'), ('a bed', 'dry'))),
  'BERT': write_bert,
  'classifier': write_classifier,
  'shop': write_shop,
  'MovieLens': write_shop,
}


def write_all(folder):
  """Writes a whole sample of every subject."""
  for name, write in WRITERS.items():
    (folder / name).mkdir(parents=True)
    write(folder / name)
  with tempfile.TemporaryDirectory() as place, contextlib.redirect_stdout(io.StringIO()):
    made = pathlib.Path(place)
    damage.write(made)
    for name in ('run', 'crop', 'export, safetensors', 'export, hub', 'export, pykeen', 'prepared graph'):
      shutil.copytree(made / name, folder / name)
    for name in ('run, checkpoints', 'study/direct/a-seed0', 'study/med/a-seed0'):
      shutil.copytree(made / 'run', folder / name)
  of_prepared = folder / 'model of a prepared graph'
  shutil.copytree(folder / 'crop', of_prepared)
  for name in ('entities.tsv', 'relations.tsv', 'triples.npz', 'notes.txt', 'calibration.json'):
    (of_prepared / name).unlink()
  graph_files.write_graph(of_prepared, store.open_graph(folder / 'prepared graph'))
  sealing.write(of_prepared)
