"""Seconds and peak memory of preparing a synthetic graph of any size, of opening it, and of ranking on it.

  python -m benchmarks.prepare --triples=20000000 --entities=5000000

The graph is written as text by DuckDB, piece by piece: uniform heads, and relations and tails of which few are named
often. `launch.py --mode=prepare` then runs in a process of its own, whose peak memory the system reports when it ends.
`--engines` instead compares DuckDB with Polars (pip install polars) on the part that both can do, names to sorted ids.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np

from benchmarks import running, timing
from medjax.data import engine

ROOT = pathlib.Path(__file__).parents[1]
HELD_OUT = 10_000  # triples of valid and of test
COLUMNS = "{'h': 'VARCHAR', 'r': 'VARCHAR', 't': 'VARCHAR'}"


def write_graph(folder, triples, entities, relations):
  """Writes train.tsv, valid.tsv and test.tsv and returns their bytes."""
  draw = lambda a, b: f'hash(i * {a} + {b})'
  few = lambda a, b, size: f'({draw(a, b)} % {size}) * ({draw(a + 2, b)} % 1000) // 1000'
  with engine.connected(folder) as connection:
    for place, (split, size) in enumerate((('train', triples), ('valid', HELD_OUT), ('test', HELD_OUT))):
      connection.execute(
        f"COPY (SELECT 'Q' || {draw(3, 0)} % {entities}, 'P' || {few(3, 1, relations)}, 'Q' || {few(3, 2, entities)} "
        f"FROM range({place * 10**10}, {place * 10**10 + size}) AS s(i)) TO '{folder}/{split}.tsv' "
        "(DELIMITER '\t', HEADER false)"
      )
  return sum(path.stat().st_size for path in folder.glob('*.tsv'))


def measured(command):
  """Runs a command and returns {'seconds', 'mib': its peak memory} and what it printed."""
  begun = time.perf_counter()
  with subprocess.Popen(
    command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ | {'PYTHONPATH': str(ROOT)}
  ) as process:
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
  if process.returncode:
    raise ValueError(f'{command[1]} ended with {process.returncode}')
  return {'seconds': time.perf_counter() - begun, 'mib': usage.ru_maxrss / 1024}, printed


def child(*arguments):
  return [sys.executable, '-m', 'benchmarks.prepare', *arguments]


def open_store(path):
  """Opens a store, reads one of its triples and the answers known to valid, and prints what each took."""
  from medjax.data import filters, store

  begun = time.perf_counter()
  graph = store.open_graph(path)
  np.asarray(graph.train[len(graph.train) // 2])
  opened = time.perf_counter()
  filters.known_keys(graph.splits, np.asarray(graph.valid), 'head')
  print(json.dumps({'open': opened - begun, 'known answers': time.perf_counter() - opened}))


def rank(path, widths, count, queries):
  """Ranks validation triples with a random model, among all entities and among `count`, and prints the seconds."""
  import jax

  from medjax import crop, scores
  from medjax.data import store
  from medjax.evaluation import candidates, evaluator

  graph = store.open_graph(path)
  score = scores.make('transe', {'init_range': 0.1})
  widths = crop.Widths(crop.parse_widths(widths))
  model = score.init(jax.random.key(0), graph.num_entities, graph.num_relations, widths.full)
  result = {}
  for name, number, size in (('all', 0, queries), (str(count), count, len(graph.valid))):
    choose = candidates.chooser(number, graph, 'valid')
    asked = np.asarray(graph.valid[:size])
    evaluator.rank_both_sides(score, model, widths, asked[:256], asked, choose=choose)  # compiles
    begun = time.perf_counter()
    evaluator.rank_both_sides(score, model, widths, asked, asked, choose=choose)
    result[name] = {'queries': 2 * size, 'seconds': time.perf_counter() - begun}
  print(json.dumps(result))


def ids_by_duckdb(folder):
  """Names to sorted ids by DuckDB."""
  output = folder / 'duckdb'
  output.mkdir()
  source = f"read_csv('{folder}/train.tsv', delim='\t', quote='', header=false, columns={COLUMNS}, auto_detect=false)"
  with engine.connected(output) as connection:
    connection.execute(f'CREATE TABLE text AS FROM {source}')
    for kind, names in (
      ('entities', 'SELECT h AS name FROM text UNION SELECT t FROM text'),
      ('relations', 'SELECT DISTINCT r AS name FROM text'),
    ):
      connection.execute(
        f'CREATE TABLE {kind} AS SELECT row_number() OVER (ORDER BY name) - 1 AS id, name FROM ({names})'
      )
    connection.execute(
      'COPY (SELECT DISTINCT head.id::INTEGER AS h, relation.id::INTEGER AS r, tail.id::INTEGER AS t FROM text '
      'JOIN entities AS head ON h = head.name JOIN relations AS relation ON r = relation.name '
      f"JOIN entities AS tail ON t = tail.name ORDER BY h, r, t) TO '{output}/ids.parquet'"
    )


def ids_by_polars(folder):
  """Names to sorted ids by Polars' streaming engine."""
  import polars

  scan = lambda: polars.scan_csv(
    folder / 'train.tsv', separator='\t', quote_char=None, has_header=False, schema=dict.fromkeys('hrt', polars.String)
  )
  names = {
    'entities': polars.concat([scan().select(name='h').unique(), scan().select(name='t').unique()]),
    'relations': scan().select(name='r'),
  }
  for kind, column in names.items():
    column.unique().sort('name').with_row_index('id').sink_parquet(folder / f'{kind}.parquet')
  entity, relation = (polars.scan_parquet(folder / f'{kind}.parquet') for kind in names)
  ids = scan()
  for table, column in ((entity, 'h'), (relation, 'r'), (entity, 't')):
    ids = ids.join(table.rename({'id': f'{column}i'}), left_on=column, right_on='name')
  ids.select(polars.col('hi', 'ri', 'ti').cast(polars.Int32)).unique().sort('hi', 'ri', 'ti').sink_parquet(
    folder / 'ids.parquet'
  )


ENGINES = {'DuckDB': ids_by_duckdb, 'Polars': ids_by_polars}


def figures(usage):
  return {'seconds': f'{usage["seconds"]:.1f}', 'peak memory, MiB': f'{usage["mib"]:,.0f}'}


def compare_engines(folder):
  """Returns (text, result) of both engines on a graph's train.tsv."""
  result = {name: measured(child(f'--ids-by={name}', f'--folder={folder}'))[0] for name in ENGINES}
  rows = [{'names to sorted ids': name} | figures(usage) for name, usage in result.items()]
  return timing.table(rows) + f'\nDuckDB is held to {engine.MEMORY}, beyond which it goes to disk.', result


def measure_graph(arguments, folder, size):
  """Returns (text, result) of preparing, opening and ranking on a graph's text."""
  output = folder / 'store'
  result, rows = {}, []
  prepare = [
    sys.executable,
    str(ROOT / 'launch.py'),
    '--mode=prepare',
    f'--config.data.path={folder}',
    f'--output={output}',
  ]
  result['prepare'], said = measured(prepare)
  rows.append({'': 'prepare'} | figures(result['prepare']))
  usage, printed = measured(child(f'--open={output}'))
  parts = json.loads(printed)
  result['open'] = {'seconds': parts['open'], 'mib': usage['mib']}
  rows.append({'': 'open, and read a triple', 'seconds': f'{parts["open"]:.3f}'})
  rows.append(
    {
      '': f'answers known to {HELD_OUT:,} queries',
      'seconds': f'{parts["known answers"]:.1f}',
      'peak memory, MiB': f'{usage["mib"]:,.0f}',
    }
  )
  disk = sum(path.stat().st_size for path in output.iterdir())
  lines = [
    said.splitlines()[-1].split('; use')[0],
    f'text: {size / 2**20:,.0f} MiB; store: {disk / 2**20:,.0f} MiB',
    '',
    timing.table(rows),
  ]
  if arguments.candidates:
    usage, printed = measured(
      child(
        f'--rank={output}',
        f'--widths={arguments.widths}',
        f'--queries={arguments.queries}',
        f'--candidates={arguments.candidates}',
      )
    )
    result['ranking'] = json.loads(printed)
    rows = [
      {
        f'TransE, widths {arguments.widths}, ranked among': f'{name} entities',
        'queries': f'{r["queries"]:,}',
        'seconds': f'{r["seconds"]:.1f}',
        'ms a query': f'{1000 * r["seconds"] / r["queries"]:.2f}',
      }
      for name, r in result['ranking'].items()
    ]
    lines += ['', timing.table(rows), f'peak memory of both, parameters included: {usage["mib"]:,.0f} MiB']
  return '\n'.join(lines), result | {'text_bytes': size, 'store_bytes': disk}


def measure(arguments):
  place = pathlib.Path(tempfile.mkdtemp(prefix='medjax-prepare-', dir=arguments.folder or None))
  folder = place / 'synthetic'
  folder.mkdir()
  try:
    size = write_graph(folder, arguments.triples, arguments.entities, arguments.relations)
    return compare_engines(folder) if arguments.engines else measure_graph(arguments, folder, size)
  finally:
    shutil.rmtree(place)


def make_options():
  options = argparse.ArgumentParser('python -m benchmarks.prepare', description=__doc__.split('\n')[0])
  options.add_argument('--triples', type=running.positive, default=20_000_000)
  options.add_argument('--entities', type=running.positive, default=5_000_000)
  options.add_argument('--relations', type=running.positive, default=1000)
  options.add_argument('--engines', action='store_true', help='compare DuckDB with Polars instead')
  options.add_argument('--candidates', type=int, default=0, help='rank valid among so many entities too; 0 = do not')
  options.add_argument('--queries', type=running.positive, default=64, help='triples ranked among all entities')
  options.add_argument('--widths', default='8:32:8', help='of the random model that ranks')
  options.add_argument('--folder', default='', help='where the graph is written, and removed again')
  options.add_argument('--output', default='', help='folder for the printed text and the JSON line')
  options.add_argument('--name', default='', help='name of the saved files')
  for option in ('--ids-by', '--open', '--rank'):
    options.add_argument(option, help=argparse.SUPPRESS)  # one measurement, in this process
  return options


def main(argv=None):
  argv = sys.argv[1:] if argv is None else list(argv)
  arguments = make_options().parse_args(argv)
  if arguments.ids_by:
    return ENGINES[arguments.ids_by](pathlib.Path(arguments.folder))
  if arguments.open:
    return open_store(arguments.open)
  if arguments.rank:
    return rank(arguments.rank, arguments.widths, arguments.candidates, arguments.queries)
  return running.conclude(
    'prepare', argv, arguments, measure, f'prepare-{"engines-" * arguments.engines}{arguments.triples}'
  )


if __name__ == '__main__':
  main()
