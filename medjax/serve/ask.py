"""Questions on the command line: one, or a file of them; as a table, CSV or JSON."""

import json
from typing import Any

from medjax import errors
from medjax.core import terminal
from medjax.saved import files
from medjax.saved.files import Path
from medjax.serve import answers, known, loading
from medjax.serve.answers import Answers
from medjax.serve.model import Model

FORMS = ('table', 'csv', 'json')


def ask(
  workdir: Path,
  head: str | None = None,
  relation: str | None = None,
  tail: str | None = None,
  queries: Path | None = None,
  width: int | None = None,
  k: int = 10,
  new: bool = False,
  form: str = 'table',
  output: Path | None = None,
) -> str:
  """Answers (head, relation, ?), (?, relation, tail), (head, ?, tail), or a file of such queries.

  Args:
    workdir: a run or cropped model.
    head, relation, tail: labels or identifiers; two of them.
    queries: a file, see `queries.read`, instead.
    width: a trained width; None is the full one.
    k: how many answers.
    new: leave out answers that the graph holds.
    form: 'table', 'csv' or 'json'.
    output: a file for what would be printed.

  Returns:
    What was printed or written.
  """
  given = {name: value for name, value in (('head', head), ('relation', relation), ('tail', tail)) if value}
  if (queries is None) != (len(given) == 2):
    raise errors.UsageError('--mode=predict needs two of --head, --relation and --tail, or --queries=FILE')
  if form not in FORMS:
    raise errors.UsageError(f'--format={form}: answers are printed as {", ".join(FORMS)}')
  model = loading.load(workdir, width)
  text = one(model, given, k, new, form) if queries is None else many(model, queries, k, new, form)
  if output:
    files.write_text(output, text)
    terminal.say(f'written: {output}')
  else:
    terminal.put(text)
  return text


def one(model: Model, given: dict[str, str], k: int, new: bool, form: str) -> str:
  """Returns the answers to one question as text."""
  words = {'head': model.entities, 'relation': model.relations, 'tail': model.entities}
  ids = {name: words[name].find_all([value]) for name, value in given.items()}
  (asked,) = set(words) - set(ids)
  rows = records(model, asked, answers.answer(model, ids, model.asking(k, new)))
  if form == 'json':
    return (
      json.dumps({**given, asked: None, 'width': model.width, 'answers': rows}, ensure_ascii=False, indent=1) + '\n'
    )
  if form == 'csv':
    return csv(rows)
  title = ' '.join(given.get(name, '?') for name in words)
  return f'{terminal.line(title)} (width {model.width})\n{table(rows)}'


def many(model: Model, path: Path, k: int, new: bool, form: str) -> str:
  """Returns the answers to a file of queries as text."""
  from medjax.serve import queries as queries_lib  # loads pandas

  frame = queries_lib.answer(model, queries_lib.read(path), model.asking(k, new))
  if form == 'json':
    return frame.to_json(orient='records', force_ascii=False, indent=1) + '\n'
  if form == 'csv':
    return frame.to_csv(index=False)
  return table(frame.to_dict('records'))


def records(model: Model, asked: str, found: Answers) -> list[dict[str, Any]]:
  """Returns the answers to one question as {column: value} each."""
  labels = (model.relations if asked == 'relation' else model.entities).labels
  rows: list[dict[str, Any]] = [
    {'label': labels[i], 'score': round(float(score), 6), 'rank': int(rank)}
    for i, score, rank in zip(found.ids, found.scores, found.ranks)
  ]
  if calibration := model.calibrations.get(model.width):
    for row, value in zip(rows, calibration.probability(found.scores)):
      row['probability'] = round(float(value), 6)
  if found.splits is not None:
    for row, place in zip(rows, found.splits):
      row['known'] = (*known.SPLITS, '')[place]
  return rows


def csv(rows: list[dict[str, Any]]) -> str:
  """Returns records as CSV."""
  import csv as csv_lib
  import io

  text = io.StringIO()
  writer = csv_lib.DictWriter(text, list(rows[0]) if rows else ['label', 'score', 'rank'], lineterminator='\n')
  writer.writeheader()
  writer.writerows(rows)
  return text.getvalue()


def table(rows: list[dict[str, Any]]) -> str:
  """Returns records as aligned columns; long labels are cut, and control characters are shown as escapes."""
  if not rows:
    return 'no answers\n'
  shown = lambda value: f'{value:.3f}' if isinstance(value, float) else terminal.short(str(value))
  cells = [list(rows[0]), *([shown(value) for value in row.values()] for row in rows)]
  widths = [max(map(len, column)) for column in zip(*cells)]
  return ''.join('  '.join(cell.rjust(width) for cell, width in zip(line, widths)).rstrip() + '\n' for line in cells)
