"""--mode=report --format=html: one file with everything in it, which opens without a network."""

import base64
import functools
import hashlib
import pathlib
from typing import Any

from medjax.core import terminal
from medjax.report.page import charts, folders, numbers, view
from medjax.saved.files import Path, write_text
from medjax.serve.interop import extras

HERE = pathlib.Path(__file__).parent


def write(workdir: Path, output: Path | None = None, widths: str | None = None) -> pathlib.Path:
  """Writes the page of a run or model, or of all below a folder; equal files give equal bytes.

  Args:
    workdir: a run or model, or a folder of several.
    output: a file that ends in .html, or a folder for report.html; None is the folder report/ in `workdir`.
    widths: whose answers to sample questions stand side by side, as text; None chooses.

  Returns:
    The path of the page.

  Raises:
    errors.NothingSaved: there is no run and no model.
    errors.ArtifactError: one is damaged.
    errors.FormatError: a package of the extra `page` is not installed.
    errors.WidthError: widths that are not understood.
  """
  found = folders.find(workdir)
  shown = view.page(found, widths)
  path = pathlib.Path(output) if output else pathlib.Path(workdir) / 'report'
  if path.suffix != '.html':
    path = path / 'report.html'
  path.parent.mkdir(parents=True, exist_ok=True)
  text = render(shown)
  write_text(path, text)
  terminal.say(f'{len(found)} below {workdir} -> {path}, {len(text.encode()):,} bytes')
  return path


def render(shown: dict[str, Any]) -> str:
  """Returns the HTML of what `view.page` gives.

  Its policy lets a browser run the two scripts that are in it by their hashes, and load nothing.
  """
  jinja2 = extras.need('jinja2')
  environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(HERE),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
  )
  own = lambda run: view.nearest(run['shown'], shown['start'])
  scripts = [library(), (HERE / 'page.js').read_text(encoding='utf-8')]
  runs = [run for graph in shown['graphs'] for run in graph['runs']]
  data = {
    'widths': shown['widths'],
    'start': shown['start'],
    'specifications': charts.specifications(),
    'rows': shown['rows'],
    'ticks': {graph['id']: graph['ticks'] for graph in shown['graphs']},
    'runs': {run['id']: {'shown': run['shown'], 'questions': run['questions']} for run in runs},
  }
  return environment.get_template('page.html.jinja').render(
    page=shown,
    measures=numbers.MEASURES,
    own=own,
    nearest=view.nearest,
    first=lambda run: run['shown'][own(run)],
    data=data,
    scripts=[environment.filters['safe'](script) for script in scripts],
    policy=' '.join(f"'sha256-{digest(script)}'" for script in scripts),
    style=environment.filters['safe']((HERE / 'page.css').read_text(encoding='utf-8')),
    licences=(HERE / 'licences.txt').read_text(encoding='utf-8'),
  )


@functools.cache
def library() -> str:
  """Returns the JavaScript of Vega, Vega-Lite and Vega-Embed, of the version that the charts are written for."""
  version = '.'.join(charts.alt.SCHEMA_VERSION.removeprefix('v').split('.')[:2])
  return extras.need('vl_convert').javascript_bundle(vl_version=version).replace('</script', r'<\/script')


def digest(script: str) -> str:
  """Returns the sha256 of a script, as a policy of content names it."""
  return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
