"""Executes the notebooks of this folder in place, so that their saved outputs are those of their code.

  python -m colab.run                        all of them
  python -m colab.run quick_start widths     these

Every notebook begins with the same cell, `FIRST`, which is written here, as the README's table of badges is; both name
the repository that Colab installs from, `REPOSITORY`. Trainings are the shortest ones (MEDJAX_SMALL). What changes from
run to run without a reason, such as times and folders of this machine, is taken out.
"""

from collections.abc import Iterator, Sequence
import os
import pathlib
import re
import sys
import tempfile

import nbclient
import nbformat
from nbformat import NotebookNode

FOLDER = pathlib.Path(__file__).parent
ROOT = FOLDER.parent
REPOSITORY = 'OWNER/medjax'  # on GitHub: after a change, execute all notebooks
NOTEBOOKS = {
  'quick_start': 'train, see the quality of every width, ask, keep a narrow model',
  'your_own_graph': 'a CSV and a Turtle file with your own labels: inspect, train, choose a width, ask',
  'use_a_model': 'crop, questions, probabilities, vector search with faiss, exact top-k',
  'widths': 'one training beside direct ones and an extraction, at every width',
  'devices': 'GPUs and TPUs: the batch split (pmap), the tables split (mesh), from one layout to another',
  'reproduce_a_row': "a row of the paper's table: the command, and the published figures beside",
}
FIRST = f"""\
# Installs medjax where it is missing; says what this machine has, and how long the trainings below are.
import glob
import importlib.util
import os

REPOSITORY = 'https://github.com/{REPOSITORY}'
if importlib.util.find_spec('medjax') is None:
  drivers = {{'/dev/nvidia0': 'cuda', '/dev/accel*': 'tpu', '/dev/vfio/[0-9]*': 'tpu'}}
  extras = ','.join(['rdf', 'faiss', *(extra for path, extra in drivers.items() if glob.glob(path))])
  %pip install -q "medjax[{{extras}}] @ git+{{REPOSITORY}}"

import medjax

hardware = medjax.hardware()
size = 'small' if os.environ.get('MEDJAX_SMALL') else 'cpu' if hardware.platform == 'cpu' else 'accelerator'
length = {{
  'small': 'a few seconds each, in which this notebook is tested; their figures are no results',
  'cpu': 'a minute or a few each, on a CPU',
  'accelerator': 'their full length',
}}
print(hardware)
print(f'trainings: {{length[size]}}')"""
BADGES = ('<!-- notebooks -->', '<!-- end -->')
# Programs run a few times each: what compiles quickly takes a quarter of the time in all.
QUICK = '--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false'
PROGRESS = re.compile(r'\s*(training: .*)?\s*')  # a bar, which is drawn again and again


def path_of(name: str) -> pathlib.Path:
  """Returns the file of a notebook."""
  return FOLDER / f'{name}.ipynb'


def read(name: str) -> NotebookNode:
  """Returns a notebook as it is saved."""
  return nbformat.read(path_of(name), as_version=4)


def write(name: str, notebook: NotebookNode) -> None:
  """Saves a notebook."""
  nbformat.write(notebook, path_of(name))


def execute(notebook: NotebookNode) -> NotebookNode:
  """Runs a notebook from top to bottom in a folder of its own; returns it with its outputs.

  Raises:
    nbclient.exceptions.CellExecutionError: a cell ends with an error.
  """
  notebook = with_first(notebook)
  with tempfile.TemporaryDirectory() as folder:
    work = pathlib.Path(folder) / 'work'
    work.mkdir()
    client = nbclient.NotebookClient(
      notebook, timeout=600, kernel_name='python3', record_timing=False, resources={'metadata': {'path': str(work)}}
    )
    return clean(client.execute(env=environment(folder)), work)


def environment(folder: str) -> dict[str, str]:
  """Returns the environment of kernels: this medjax and Python, small settings, a cache of compiled programs."""
  cache = pathlib.Path(os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache')
  before = lambda first, name: os.pathsep.join(filter(None, [str(first), os.environ.get(name)]))
  return os.environ | {
    'MEDJAX_SMALL': '1',
    'PYTHONPATH': before(ROOT, 'PYTHONPATH'),
    'PATH': before(pathlib.Path(sys.executable).parent, 'PATH'),
    'IPYTHONDIR': folder,
    'XLA_FLAGS': os.environ.get('XLA_FLAGS', QUICK),
    'JAX_COMPILATION_CACHE_DIR': str(cache / 'medjax' / 'xla'),
    'JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS': '0.5',
  }


def with_first(notebook: NotebookNode) -> NotebookNode:
  """Returns a copy whose cell `first` is `FIRST`."""
  notebook = nbformat.from_dict(notebook)
  (first,) = [cell for cell in notebook.cells if cell.id == 'first']
  first.source = FIRST
  return notebook


def clean(notebook: NotebookNode, work: pathlib.Path) -> NotebookNode:
  """Takes out what changes without a reason: times, versions, bars of progress, the folder `work`."""
  notebook.metadata = nbformat.from_dict(
    {
      'kernelspec': {'display_name': 'Python 3', 'language': 'python', 'name': 'python3'},
      'language_info': {'name': 'python'},
    }
  )
  for cell in notebook.cells:
    cell.metadata = nbformat.from_dict({})
    if cell.cell_type == 'code':
      cell.outputs = list(cleaned(cell.outputs, work))
  return notebook


def cleaned(outputs: Sequence[NotebookNode], work: pathlib.Path) -> Iterator[NotebookNode]:
  """Yields outputs with neighbouring streams of one name joined, and without those that only show progress."""
  joined: list[NotebookNode] = []
  for output in outputs:
    last = joined[-1] if joined else None
    if last and output.output_type == last.output_type == 'stream' and output.name == last.name:
      last.text += output.text
    else:
      joined.append(output)
  for output in joined:
    if output.output_type == 'stream':
      lines = re.split('[\r\n]', output.text)
      if output.name == 'stderr' and all(PROGRESS.fullmatch(line) for line in lines):
        continue
      output.text = output.text.replace(f'{work}/', '').replace(str(work), '.')
    yield output


def badges() -> str:
  """Returns the README's table of notebooks: what each shows, and the badge that opens it in Colab."""
  picture = 'https://colab.research.google.com/assets/colab-badge.svg'
  opens = f'https://colab.research.google.com/github/{REPOSITORY}/blob/main/colab'
  rows = [
    f'| [{name}](colab/{name}.ipynb) | {shows} | [![Open {name} in Colab]({picture})]({opens}/{name}.ipynb) |'
    for name, shows in NOTEBOOKS.items()
  ]
  return '\n'.join(['| notebook | shows | |', '|---|---|---|', *rows])


def with_badges(page: str) -> str:
  """Returns a Markdown page with `badges` between their marks."""
  before, after = BADGES
  return re.sub(f'(?s)({before}\n).*?(\n{after})', lambda found: f'{found[1]}{badges()}{found[2]}', page)


def main(names: Sequence[str]) -> None:
  """Executes and saves notebooks, and the README's table of them."""
  if unknown := set(names) - set(NOTEBOOKS):
    sys.exit(f'error: no notebook {", ".join(sorted(unknown))}; there are {", ".join(NOTEBOOKS)}')
  readme = ROOT / 'README.md'
  readme.write_text(with_badges(readme.read_text()))
  for name in names or NOTEBOOKS:
    print(name, flush=True)
    write(name, execute(read(name)))


if __name__ == '__main__':
  main(sys.argv[1:])
