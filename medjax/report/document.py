"""Fills the tables of a Markdown document from saved runs, so that no figure is typed in by hand.

  python -m medjax.report.document docs/results/*.md

A block `<!-- runs: GLOB... WIDTH... -->` ... `<!-- end -->` becomes a table of the runs whose folders, relative to the
document, match the globs: one row each, MRR and Hits@10 at these widths, or at some, the training's cost. A block
`<!-- commands: GLOB... -->` lists the commands that made them, and `<!-- figure: GLOB FILE -->` draws their MRR
against width into FILE; `<!-- text: FILE -->` shows a saved output, `<!-- table: FILE.csv -->` a saved table,
`<!-- published: FOLDER WIDTH... -->` the runs below a folder at some widths, beside what is published of their graphs;
`<!-- report: FOLDER -->` the tables of `--mode=report` of the runs below a folder: quality and cost by method.
`<!-- study: FILE... GRAPH-SCORE -->` shows
study.csv files: what validation chose, judged on test, and published figures beside if a graph and score are named;
`<!-- ahead: FILE... -->` shows by how much their croppable models are ahead of direct training (NAME-beside.csv belongs
to the study of NAME.csv), and `<!-- ahead-figure: FILE... PICTURE -->` draws that;
`<!-- summary: NAME=FILE... -->` has one row for the croppable model of each study and one for its direct trainings;
`<!-- seeds: FILE GLOB... -->` has the runs that match, seeds of one training, beside the direct trainings of a study;
`<!-- choice: FILE... -->` shows the validation that chose, and `<!-- study-figure: FILE... PICTURE -->` draws what
`study` shows. `<!-- importances: GLOB -->` sums up the importance.csv of extracted models.
`<!-- applications: FILE METRIC... -->` shows metrics of the results.csv of applications, a table each,
`<!-- applications-beside: FILE METHOD OTHER METRIC... -->` how many times another method's figure a method has,
`<!-- applications-cost: FILE -->` their bytes and times,
`<!-- applications-relations: FILE -->` every relation, and `<!-- applications-figure: FILE PICTURE -->` draws them.
`<!-- sentences: FILE -->` shows the methods on tasks of sentences by a CSV of benchmarks.glue,
`<!-- sentences-ablation: FILE -->` variants of MED there, `<!-- sentences-reordering: FILE -->` reordered crops, and
`<!-- sentences-figure: FILE PICTURE -->` draws the methods.
Words with spaces stand in quotes.

One block needs no runs: `<!-- rooms: PACKAGE -->` draws which rooms of a package import which others, see `rooms`.
"""

from collections.abc import Callable, Iterable
import pathlib
import re
import shlex
import sys
from typing import Any

import pandas as pd

from medjax.core import files
from medjax.report import applications as applications_lib
from medjax.report import collect, efficiency, plots, quality, rooms, studies, tables
from medjax.report import sentences as sentences_lib
from medjax.saved.files import Path


def runs(document: pathlib.Path, *patterns: str) -> list[tuple[str, pd.DataFrame, dict[str, Any]]]:
  """Returns [(name, results DataFrame indexed by width, cost dict)] of the runs that match, sorted by name."""
  found = []
  for pattern in patterns:
    paths = collect.results_below(document.parent, pattern)
    if not paths:
      raise FileNotFoundError(f'no run matches {document.parent / pattern}/results.csv')
    found += [(path.parent.name, *collect.read_results(path)) for path in paths]
  return found


def run_table(document: pathlib.Path, *words: str) -> str:
  """Returns the Markdown table of the runs that match the words that are no numbers, at widths that are."""
  asked = [int(word) for word in words if word.isdigit()]
  found = runs(document, *(word for word in words if not word.isdigit()))
  widths = [w for w in asked or tables.WIDTHS if any(w in results.index for _, results, _ in found)]
  rows = []
  for name, results, cost in found:
    cells = [f'{results.mrr[w]:.3f} ({results.hits10[w]:.3f})' if w in results.index else '' for w in widths]
    cells += [f'{cost["steps"]:,}', f'{cost["train_seconds"] / 60:.1f} min', f'{cost["peak_memory_mib"] or 0:,} MiB']
    rows.append([name, *cells])
  return tables.markdown(['run', *map(str, widths), 'steps', 'training', 'memory'], rows)


def command_list(document: pathlib.Path, *patterns: str) -> str:
  """Returns the commands of the runs that match, as a code block, and the hardware they ran on."""
  found = runs(document, *patterns)
  hardware = '; '.join(sorted({cost['hardware'] for _, _, cost in found}))
  commands = '\n'.join(dict.fromkeys(cost['command'] for _, _, cost in found))  # several runs may share a command
  return f'```bash\n{commands}\n```\n\nHardware: {hardware}.'


def figure(document: pathlib.Path, pattern: str, file: str) -> str:
  """Draws the runs that match and returns the Markdown that shows the picture."""
  target = document.parent / file
  target.parent.mkdir(parents=True, exist_ok=True)
  plots.runs_against_width([(name, results) for name, results, _ in runs(document, pattern)], target)
  return f'![MRR and Hits@10 against width]({file})'


def saved_text(document: pathlib.Path, file: str) -> str:
  """Returns a saved output as a code block."""
  return f'```\n{(document.parent / file).read_text(encoding="utf-8").strip()}\n```'


def saved_table(document: pathlib.Path, file: str) -> str:
  """Returns a saved CSV as a table, its cells as they are written."""
  frame = pd.read_csv(document.parent / file, dtype=str, keep_default_na=False)
  return tables.markdown(list(frame.columns), frame.to_numpy().tolist())


def report_tables(document: pathlib.Path, folder: str) -> str:
  """Returns the tables of quality and of cost, by method, of the runs below a folder."""
  groups = collect.grouped(collect.collect(document.parent / folder))
  costs = efficiency.long_table(groups)
  made = [
    table
    for (data, score), rows in groups.items()
    for table in (
      quality.table(data, score, rows),
      efficiency.table(costs[(costs['dataset'] == data) & (costs['score'] == score)]),
    )
  ]
  return '\n\n'.join(tables.markdown(*table) for table in made if table[1])


def published(document: pathlib.Path, folder: str, *widths: str) -> str:
  """Returns a table for every graph and score of the runs below a folder, at some widths, published figures beside."""
  groups = collect.grouped(collect.collect(document.parent / folder))
  columns = [int(width) for width in widths]
  made = {
    f'{data}, {score}': tables.markdown(*quality.table(data, score, rows, columns))
    for (data, score), rows in groups.items()
  }
  return '\n\n'.join(f'{name}:\n\n{table}' if len(made) > 1 else table for name, table in made.items())


def read_studies(document: pathlib.Path, files: Iterable[str]) -> pd.DataFrame:
  """Returns the rows of some study.csv files as one DataFrame."""
  return pd.concat([pd.read_csv(document.parent / file) for file in files], ignore_index=True)


def study(document: pathlib.Path, *words: str) -> str:
  """Returns the table of what studies chose, on test; after the files, graph-score adds the figures published on it."""
  files, beside = ([word for word in words if word.endswith('.csv') == kind] for kind in (True, False))
  return tables.markdown(*studies.test_table(read_studies(document, files), [name.rpartition('-') for name in beside]))


def studies_by_name(document: pathlib.Path, files: Iterable[str]) -> dict[str, pd.DataFrame]:
  """Returns {study: rows} of study.csv files; what ran beside a study belongs to it."""
  of_study: dict[str, list[str]] = {}
  for file in files:
    of_study.setdefault(pathlib.Path(file).stem.removesuffix('-beside'), []).append(file)
  return {name: read_studies(document, own) for name, own in of_study.items()}


def ahead(document: pathlib.Path, *files: str) -> str:
  """Returns the table of by how much the croppable models of studies are ahead of direct training."""
  return tables.markdown(*studies.ahead_table(studies_by_name(document, files)))


def ahead_figure(document: pathlib.Path, *words: str) -> str:
  """Draws by how much they are ahead and returns the Markdown that shows the picture, the last word."""
  *files, picture = words
  studies.ahead_figure(studies_by_name(document, files), document.parent / picture)
  return f'![MRR of croppable models less that of direct training, against width]({picture})'


def summary(document: pathlib.Path, *words: str) -> str:
  """Returns the table of croppable models and direct trainings, of words NAME=FILE."""
  named = (word.rpartition('=') for word in words)
  return tables.markdown(*studies.summary_table({name: read_studies(document, [file]) for name, _, file in named}))


def seeds(document: pathlib.Path, file: str, *patterns: str) -> str:
  """Returns the table of runs, seeds of one croppable training, beside the direct trainings of a study."""
  crops = [results.mrr for _, results, _ in runs(document, *patterns)]
  return tables.markdown(*studies.seeds_table(read_studies(document, [file]), crops))


def choice(document: pathlib.Path, *files: str) -> str:
  """Returns the table of studies' validation."""
  return tables.markdown(*studies.choice_table(read_studies(document, files)))


def study_figure(document: pathlib.Path, *words: str) -> str:
  """Draws what studies chose and returns the Markdown that shows the picture, the last word."""
  *files, picture = words
  studies.figure(read_studies(document, files), document.parent / picture)
  return f'![MRR and Hits@10 against width]({picture})'


def importances(document: pathlib.Path, pattern: str) -> str:
  """Returns a table of how far apart the importances of the components of extracted models lie."""
  rows = []
  for path in sorted(document.parent.glob(f'{pattern}/importance.csv'), key=collect.natural):
    values = pd.read_csv(path)['importance']
    rows.append(
      [
        '/'.join(path.parts[-3:-1]),
        f'{len(values):,}',
        f'{(values < 0).mean():.0%}',
        *(f'{value:.4g}' for value in (values.min(), values.median(), values.max())),
      ]
    )
  return tables.markdown(['model', 'components', 'negative', 'least', 'median', 'greatest'], rows)


def applications(document: pathlib.Path, file: str, *metrics: str) -> str:
  """Returns the tables of some metrics of applications, of those that were measured."""
  results = pd.read_csv(document.parent / file)
  return '\n\n'.join(tables.markdown(*applications_lib.metric_table(results, metric)) for metric in metrics)


def applications_beside(document: pathlib.Path, file: str, ours: str, other: str, *metrics: str) -> str:
  """Returns the table of a method beside another one."""
  results = pd.read_csv(document.parent / file)
  return tables.markdown(*applications_lib.beside_table(results, ours, other, metrics or applications_lib.SHOWN))


def applications_cost(document: pathlib.Path, file: str) -> str:
  """Returns the table of bytes and milliseconds of what recommends."""
  return tables.markdown(*applications_lib.cost_table(pd.read_csv(document.parent / file)))


def applications_relations(document: pathlib.Path, file: str) -> str:
  """Returns the table of completion by relation."""
  return tables.markdown(*applications_lib.relation_table(pd.read_csv(document.parent / file)))


def applications_figure(document: pathlib.Path, file: str, picture: str) -> str:
  """Draws quality against width in all applications and returns the Markdown that shows the picture."""
  applications_lib.draw(pd.read_csv(document.parent / file), document.parent / picture)
  return f'![Quality of three applications against width, by method]({picture})'


def sentences(document: pathlib.Path, file: str) -> str:
  """Returns the tables of methods on tasks of sentences: what was trained, scores, goals."""
  frame = pd.read_csv(document.parent / file)
  made = (sentences_lib.settings, sentences_lib.score_table, sentences_lib.goal_table)
  return '\n\n'.join(tables.markdown(*table(frame)) for table in made)


def sentences_ablation(document: pathlib.Path, file: str) -> str:
  """Returns the table of MED's variants on tasks of sentences."""
  return tables.markdown(*sentences_lib.ablation_table(pd.read_csv(document.parent / file)))


def sentences_reordering(document: pathlib.Path, file: str) -> str:
  """Returns the table of what reordering does to crops on tasks of sentences."""
  return tables.markdown(*sentences_lib.reordering_table(pd.read_csv(document.parent / file)))


def sentences_figure(document: pathlib.Path, file: str, picture: str) -> str:
  """Draws scores against width on tasks of sentences and returns the Markdown that shows the picture."""
  sentences_lib.draw(pd.read_csv(document.parent / file), document.parent / picture)
  return f'![Scores of a croppable BERT against width, by method]({picture})'


def package_rooms(document: pathlib.Path, package: str) -> str:
  """Returns the Mermaid graph of a package's rooms, whatever the document."""
  del document
  return rooms.mermaid(package)


def filled(document: Path) -> str:
  """Returns a document's text with its blocks made anew; pictures are drawn."""
  document = pathlib.Path(document)
  makers: dict[str, Callable[..., str]] = {
    'runs': run_table,
    'commands': command_list,
    'figure': figure,
    'text': saved_text,
    'table': saved_table,
    'study': study,
    'ahead': ahead,
    'ahead-figure': ahead_figure,
    'summary': summary,
    'seeds': seeds,
    'choice': choice,
    'study-figure': study_figure,
    'report': report_tables,
    'importances': importances,
    'published': published,
    'applications': applications,
    'applications-beside': applications_beside,
    'applications-cost': applications_cost,
    'applications-relations': applications_relations,
    'applications-figure': applications_figure,
    'sentences': sentences,
    'sentences-ablation': sentences_ablation,
    'sentences-reordering': sentences_reordering,
    'sentences-figure': sentences_figure,
    'rooms': package_rooms,
  }

  def block(match):
    kind, *arguments = shlex.split(match.group(1))
    return f'<!-- {match.group(1)} -->\n{makers[kind.rstrip(":")](document, *arguments)}\n<!-- end -->'

  text = document.read_text(encoding='utf-8')
  kinds = '|'.join(makers)
  return re.sub(rf'<!-- ((?:{kinds}): [^>]+) -->\n.*?<!-- end -->', block, text, flags=re.DOTALL)


def fill(document: Path) -> None:
  """Rewrites the blocks of a document in place."""
  files.write_text(document, filled(document))


if __name__ == '__main__':
  for name in sys.argv[1:]:
    fill(name)
