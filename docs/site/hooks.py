"""What the site adds to the pages as they are read on the repository's host: `hooks` of mkdocs.yml.

A page links to files and folders of the repository that are no pages, such as modules; each of these becomes a page
that shows it, so that the site needs no repository beside it. Equations become MathML and the graph of rooms a table,
so that no page needs a script of another server. Pages that name something to be listed (`<!-- listed: fields -->`) get
it from the code.
"""

import html
import json
import pathlib
import posixpath
import re
import sys

from latex2mathml import converter
from mkdocs.structure.files import File, InclusionLevel

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINK = re.compile(r'(\]\()([^)#\s:]+)((?:#[^)\s]*)?\))')
FENCE = re.compile(r'^( *)(`{3,})[^\n]*\n.*?^\1\2$', re.DOTALL | re.MULTILINE)
HEAD = '---\nsearch: {exclude: true}\nhide: [toc]\n---\n'  # of a page that shows a file
LANGUAGES = {'.py': 'python', '.sh': 'bash', '.toml': 'toml', '.yml': 'yaml', '.md': 'markdown', '.ipynb': 'python'}


def outside_code(change, text):
  """Returns a text whose parts that are no block of code are changed."""
  parts, end = [], 0
  for fence in FENCE.finditer(text):
    parts += [change(text[end : fence.start()]), fence[0]]
    end = fence.end()
  return ''.join([*parts, change(text[end:])])


def place(target):
  """The page of the site that shows a file or folder of the repository."""
  return f'source/{target}.md'


def own(files):
  """The files of the site that are written by hand, {name: file}."""
  found = (file for file in files if not file.inclusion.is_excluded() and not file.src_uri.startswith('source/'))
  return {file.src_uri: file for file in found}


def in_repository(page, link, site):
  """The path in the repository of what a page links to, if it is there and no file of the site, or None."""
  target = posixpath.normpath(posixpath.join('docs', posixpath.dirname(page), link))
  return None if target.removeprefix('docs/') in site or not (ROOT / target).exists() else target


def shown(path):
  """A file as text: of a folder the names in it, of a notebook its cells, those that are no code as comments."""
  if path.is_dir():
    return '\n'.join(sorted(f'{each.name}{"/" * each.is_dir()}' for each in path.iterdir() if each.name[0] not in '._'))
  text = path.read_text(encoding='utf-8')
  if path.suffix != '.ipynb':
    return text
  cells = [(cell['cell_type'] == 'code', ''.join(cell['source'])) for cell in json.loads(text)['cells']]
  return '\n\n'.join(source if is_code else re.sub('^', '# ', source, flags=re.MULTILINE) for is_code, source in cells)


def on_files(files, config):
  """Adds a page for every file and folder of the repository that pages link to."""
  site = own(files)
  links = (
    in_repository(name, link, site)
    for name, file in site.items()
    if file.is_documentation_page()
    for _, link, _ in LINK.findall(FENCE.sub('', file.content_string))
  )
  for target in sorted({*links} - {None}):
    language = LANGUAGES.get(pathlib.Path(target).suffix, 'text')
    content = f'{HEAD}# {target}\n\n``````````{language}\n{shown(ROOT / target)}\n``````````\n'
    files.append(File.generated(config, place(target), content=content, inclusion=InclusionLevel.NOT_IN_NAV))
  return files


def on_page_markdown(markdown, page, config, files):
  """Turns links to files of the repository to the pages that show them, and lists what a page asks for."""
  here, site = page.file.src_uri, own(files)

  def turned(match):
    target = in_repository(here, match[2], site)
    return match[0] if target is None else f'{match[1]}{posixpath.relpath(place(target), posixpath.dirname(here))})'

  if here not in site:
    return markdown
  markdown = re.sub(r'<!-- listed: (\w+) -->', lambda match: LISTS[match[1]](), markdown)
  return outside_code(lambda text: LINK.sub(turned, text), markdown)


def mathml(latex, display):
  """An equation as MathML; bars and brackets that are not `\\left` or `\\right` have the size of a letter."""
  text = converter.convert(html.unescape(latex.strip()), display=display)
  sign = r'<mo stretchy="false" lspace="0" rspace="0">\1</mo>'
  return re.sub(r'<m[io]>(&#x0(?:2016|007C|27E8|27E9);)</m[io]>', sign, text)


def on_page_content(content, page, config, files):
  """Makes equations MathML and the graph of rooms a table; cells break between settings, and not inside of figures."""
  equation = lambda display: lambda match: mathml(match[1], display)
  content = re.sub(r'<span class="arithmatex">\\\((.*?)\\\)</span>', equation('inline'), content, flags=re.DOTALL)
  content = re.sub(r'<div class="arithmatex">\s*\\\[(.*?)\\\]\s*</div>', equation('block'), content, flags=re.DOTALL)
  content = re.sub(r'<pre class="rooms"><code>(.*?)</code></pre>', rooms_table, content, flags=re.DOTALL)
  return re.sub(r'(?<=\w),(?=\w+=)', ',<wbr>', content).replace(' ± ', '\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}')


def rooms_table(match):
  """The rows `importer --> imported` of a graph as a table, a row an importer, in the graph's order."""
  below = {}
  for room, other in re.findall(r'(\w+) --&gt; (\w+)', match[1]):
    below.setdefault(room, []).append(other)
  rows = (f'<tr><td>{room}</td><td>{", ".join(others)}</td></tr>' for room, others in below.items())
  return f'<table><thead><tr><th>room</th><th>imports</th></tr></thead><tbody>{"".join(rows)}</tbody></table>'


def cell(text):
  """A text as a cell of a Markdown table."""
  return ' '.join(str(text).split()).replace('|', r'\|').replace('<', '&lt;')


def table(header, rows):
  """A Markdown table."""
  line = lambda cells: '| ' + ' | '.join(map(cell, cells)) + ' |'
  return '\n'.join([line(header), '|' + '---|' * len(header), *map(line, rows)])


def imported():
  """Makes the repository's own modules those that are imported."""
  if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


def fields(kind='Config', heading='##'):
  """The fields of a configuration by section: what each is by default, and what is said of it."""
  imported()
  from medjax import config
  from medjax.config import help as field_help

  of, sections = getattr(config, kind), {}
  said = field_help.comments(of)
  for field, default in config.flatten(of()).items():
    section, _, _ = field.rpartition('.')
    sections.setdefault(section, []).append((f'`{field}`', f'`{default!r}`', said[field]))
  whole = table(('field', 'default', 'meaning'), sections.pop(''))
  parts = (f'{heading} {name}\n\n' + table(('field', 'default', 'meaning'), rows) for name, rows in sections.items())
  return '\n\n'.join([whole, *parts])


def bert_fields():
  """The same of a BERT's configuration."""
  return fields('TextConfig', '###')


def modes():
  """What the command line can be asked for, by mode, with its flags."""
  imported()
  from medjax.modes import MODES

  flags = lambda mode: ', '.join(f'`--{flag}`' for flag in mode.flags)
  reads = lambda mode: f'`--{mode.reads}*`' if mode.reads else ''
  rows = [(f'`{name}`', mode.run.__doc__.splitlines()[0], flags(mode), reads(mode)) for name, mode in MODES.items()]
  return table(('mode', 'what it does', 'its flags', 'fields it reads'), rows)


def flags():
  """The flags of the command line, with their defaults and what is said of them."""
  imported()
  from absl.flags import FLAGS

  from medjax import arguments

  rows = [(f'`--{flag.name}`', f'`{flag.default!r}`', FLAGS[flag.name].help) for flag in arguments.OPTIONS]
  return table(('flag', 'default', 'meaning'), rows)


LISTS = {'fields': fields, 'bert_fields': bert_fields, 'modes': modes, 'flags': flags}
