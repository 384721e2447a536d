"""hub: a folder for the Hugging Face Hub: what `medjax.load` reads, and README.md, the model card.

The card is filled from the run: its score, widths, results of every width on test, data with their licence, and how to
use it. Nothing is uploaded unless `push` is called.
"""

import dataclasses
import json
import pathlib
from typing import Any, TYPE_CHECKING

import pandas as pd

from medjax import errors
from medjax.saved import schemas
from medjax.saved.files import Path, read_bytes, read_table, reading, write_text
from medjax.serve.interop import extras, folder

if TYPE_CHECKING:
  from medjax.serve.model import Model

PLACES = ('data.path', 'data.root', 'data.cache', 'distill.teacher')  # fields that name folders of this machine
METRICS = {'mrr': 'MRR', 'hits1': 'Hits@1', 'hits3': 'Hits@3', 'hits10': 'Hits@10'}


def write(model: 'Model', output: pathlib.Path, dtype: str) -> None:
  """Writes the folder, with a card that has no results yet; see `write_card`.

  Raises:
    errors.FormatError: huggingface_hub is missing, or the graph is a prepared one, which lies in a place of its own.
  """
  extras.need('huggingface_hub')
  if model.graph.store is not None:
    raise errors.FormatError(
      f'the graph is a prepared one, which stays at {model.graph.store.folder}, so nobody else could load the model; '
      'export it as safetensors or numpy'
    )
  graph = dataclasses.replace(
    model.graph.without_triples(), notes=public_notes(model)
  )  # triples may not be ours to give
  folder.write(dataclasses.replace(model, graph=graph), output, dtype)
  write_card(model, output, dtype)


def write_card(model: 'Model', output: pathlib.Path, dtype: str, run: Path | None = None) -> None:
  """Writes README.md, with the results.csv of a run's folder if there is one, and training.json, its configuration, in
  which folders have only their last names.

  Args:
    model: the exported `Model`.
    output: the folder of the export.
    dtype: how its numbers are stored.
    run: the folder that the model was loaded from, or None.
  """
  results = None
  if run is not None:
    if (path := pathlib.Path(run) / 'results.csv').exists():
      results = read_table(path)
      with reading(path):
        results = results[results['width'] <= model.description.widths[-1]]
    if (path := pathlib.Path(run) / 'config.json').exists():
      with reading(path):
        fields = schemas.decode(read_bytes(path), path)
      fields |= {name: pathlib.PurePath(fields[name]).name for name in PLACES if fields.get(name)}
      write_text(output / 'training.json', json.dumps(fields, indent=1) + '\n')
  write_text(output / 'README.md', card(model, dtype, results))


def public_notes(model: 'Model') -> tuple[str, ...]:
  """Returns the notes of a model's graph without the folder that it was read from."""
  return tuple(note for note in model.graph.notes if not note.startswith('read from '))


def card(model: 'Model', dtype: str, results: pd.DataFrame | None) -> str:
  """Returns the text of the model card: YAML metadata and Markdown."""
  hub, description, graph = extras.need('huggingface_hub'), model.description, model.graph
  name, width = description.source or 'a graph', description.widths[-1]
  licence = next((note.partition(': ')[2] for note in graph.notes if note.startswith('licence: ')), '')
  evaluated: dict[str, Any] = {}
  if results is not None and len(results):
    widest = results.iloc[-1]
    evaluated['eval_results'] = [
      hub.EvalResult('graph-ml', name, name, metric, float(widest[metric]), dataset_split='test', metric_name=shown)
      for metric, shown in METRICS.items()
    ]
  data = hub.ModelCardData(
    model_name=f'{description.score} of {name}',
    library_name='medjax',
    pipeline_tag='graph-ml',
    tags=['knowledge-graph', 'knowledge-graph-embeddings', 'link-prediction', 'matryoshka', description.score],
    **({'license': 'other', 'license_name': 'of-the-data'} if licence else {}),
    **evaluated,
  )
  return f"""---
{data.to_yaml()}
---

# {description.score} embeddings of {name}, croppable to {len(description.widths)} widths

Knowledge graph embeddings of width {width} (numbers per entity), trained so that the first d numbers of every embedding
are a model of their own, for d in {', '.join(map(str, description.widths))}.

{len(graph.entities):,} entities, {len(graph.relations):,} relations; trained on {len(graph.train):,} triples
({len(graph.valid):,} for validation, {len(graph.test):,} for test). Numbers are stored as {dtype}.

## Use

```python
import huggingface_hub, medjax  # pip install 'medjax[hub]'

model = medjax.load(huggingface_hub.snapshot_download('OWNER/NAME'), width={description.widths[0]})
model.predict_tails({json.dumps(model.entities.labels[0], ensure_ascii=False)}, \
{json.dumps(model.relations.labels[0], ensure_ascii=False)}, k=5)
```

Files: `model.json` says what the numbers mean, `model.safetensors` has them, `entities.tsv` and `relations.tsv` name
the rows, `triples.npz` has the graph. Loading runs no code.

## Results

{results_table(results, dtype)}

## Data and licence

{licence or 'The licence of the data is not recorded.'}

{''.join(f'- {note}{chr(10)}' for note in public_notes(model) if not note.startswith('licence: '))}"""


def results_table(results: pd.DataFrame | None, dtype: str) -> str:
  """Returns a Markdown table of every width's filtered results on test, or a sentence where there are none."""
  if results is None or not len(results):
    return 'This model was exported without results: `--mode=evaluate` computes them.'
  rows = [['width', *METRICS.values()]] + [
    [f'{int(row["width"])}', *(f'{row[metric]:.4f}' for metric in METRICS)] for _, row in results.iterrows()
  ]
  lines = ['| ' + ' | '.join(row) + ' |' for row in rows]
  lines.insert(1, '|' + '---:|' * len(rows[0]))
  against = results['candidates'].iloc[0] if 'candidates' in results else 'all'
  among = 'all entities' if against == 'all' else f'candidates ({against})'
  of = '' if dtype == 'float32' else f' The figures are those of float32; this folder stores {dtype}.'
  return '\n'.join([f'Filtered ranks of both sides on test, among {among}.{of}', '', *lines])


def push(output: pathlib.Path, repository: str) -> str:
  """Uploads an exported folder to OWNER/NAME on the Hub, which is made if it is not there; returns its address.

  Raises:
    errors.FormatError: no credentials are there, or the Hub refuses.
  """
  hub = extras.need('huggingface_hub')
  if hub.get_token() is None:
    raise errors.FormatError(f'--push_to={repository}: nobody is logged in to the Hub; run `hf auth login`')
  api = hub.HfApi()
  try:
    api.create_repo(repository, repo_type='model', exist_ok=True)
    api.upload_folder(folder_path=str(output), repo_id=repository, repo_type='model')
  except (hub.errors.HfHubHTTPError, hub.errors.HFValidationError, OSError) as error:
    raise errors.FormatError(f'--push_to={repository}: the Hub refuses ({str(error).splitlines()[0]})') from error
  return f'https://huggingface.co/{repository}'
