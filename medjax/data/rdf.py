"""RDF: N-Triples, Turtle, RDF/XML and their kin; the only module that imports pyoxigraph."""

from collections.abc import Iterator
import pathlib
import re
from typing import Any
from xml.parsers import expat

from medjax.data import contents, limits, tables
from medjax.errors import DataError

FORMATS = {  # suffix -> name of pyoxigraph's format
  '.nt': 'N_TRIPLES',
  '.nq': 'N_QUADS',
  '.ttl': 'TURTLE',
  '.trig': 'TRIG',
  '.n3': 'N3',
  '.rdf': 'RDF_XML',
  '.owl': 'RDF_XML',
  '.xml': 'RDF_XML',
  '.jsonld': 'JSON_LD',
}
SUFFIXES = tuple(FORMATS)
DEEPEST = 1000  # elements of XML inside of each other
LABEL = 'http://www.w3.org/2000/01/rdf-schema#label'
_TERM = r'(?:<[^<>\s]*>|_:\S+)'
_STATEMENT = re.compile(rf'{_TERM}\s+<[^<>\s]*>\s+(?:{_TERM}|".*)\s*(<[^<>\s]*>\s*)?\.\s*(#.*)?')
_GENERATED = re.compile('[0-9a-f]{30,32}')  # the name that the parser gives to a node without one, anew every time


def recognise(text: str) -> str | None:
  """The name of the RDF format that text is written in, by how it begins; None: it does not look like RDF.

  >>> recognise('<http://a.org/x> <http://a.org/r> <http://a.org/y>.')
  'N_TRIPLES'
  >>> recognise('x r y') is None
  True
  """
  start = text.lstrip()[:4000]
  if re.match(r'<\?xml|<rdf:RDF|<!DOCTYPE rdf|<!--', start):
    return 'RDF_XML' if re.search(r'<rdf:RDF|rdf-syntax-ns#', text) else 'XML'
  lines = [line.strip() for line in text.splitlines()[:200] if line.strip() and not line.lstrip().startswith('#')]
  if not lines:
    return None
  if re.match(r'@(prefix|base)\s', lines[0]) or re.match(r'(PREFIX|BASE)\s+(\S*:\s*)?<', lines[0], re.IGNORECASE):
    return 'TURTLE'
  found = [_STATEMENT.fullmatch(line) for line in lines[:3]]
  if not all(found):
    return None
  return 'N_QUADS' if any(match and match[1] and '"' not in match[0] for match in found) else 'N_TRIPLES'


def read(path: str | pathlib.Path, form: str | None = None) -> tables.Table:
  """Reads the triples of an RDF file, plain or packed.

  Identifiers are IRIs, and `_:name` for blank nodes; one without a name is called by the file and its place. Triples
  whose tail is a literal are left out, but an rdfs:label becomes the label of its head, best in English or in no
  language. The names of graphs are left out.

  Args:
    path: the file.
    form: the name of the format, one of those in `FORMATS`; None: by the suffix, or by how the file begins.

  Raises:
    DataError: pyoxigraph is not installed, the file breaks the rules of its format, or it holds no triple of three
      resources.
  """
  try:
    import pyoxigraph
  except ImportError:
    raise DataError(f"{path}: reading RDF needs pyoxigraph: pip install 'medjax[rdf]'") from None
  path = pathlib.Path(path)
  form = form or format_of(path)
  heads: list[str] = []
  relations: list[str] = []
  tails: list[str] = []
  labels: dict[str, tuple[int, str]] = {}
  literals, quoted, graphs = 0, 0, 0
  names: dict[str, str] = {}

  def name(term: Any) -> str | None:
    if isinstance(term, pyoxigraph.NamedNode):
      return str(term.value)
    if isinstance(term, pyoxigraph.BlankNode):
      stem = path.name.split('.')[0]
      return names.setdefault(
        term.value, f'_:{stem}-{len(names) + 1}' if _GENERATED.fullmatch(term.value) else f'_:{term.value}'
      )
    return None

  for quad in _parse(path, getattr(pyoxigraph.RdfFormat, form)):
    head, tail = name(quad.subject), name(quad.object)
    if isinstance(quad.object, pyoxigraph.Literal):
      literals += 1
      if quad.predicate.value == LABEL and head is not None:
        rank = _rank(quad.object.language)
        if head not in labels or rank < labels[head][0]:
          labels[head] = rank, quad.object.value.strip()
    elif head is None or tail is None:
      quoted += 1
    else:
      heads.append(head)
      relations.append(quad.predicate.value)
      tails.append(tail)
      graphs += not isinstance(quad.graph_name, pyoxigraph.DefaultGraph)
  title = form.replace('RDF_XML', 'RDF/XML').replace('_', '-').title().replace('Rdf/Xml', 'RDF/XML')
  if not heads:
    raise DataError(
      f'{path}: this {title} holds no triple of three resources'
      + (f', only {literals} with literals' if literals else '')
      + '. A graph needs triples whose tail is an IRI or a blank node.'
    )
  notes = [f'{path.name}: read as {title}']
  if literals:
    kept_labels = f'; {len(labels)} of their heads got an rdfs:label' if labels else ''
    notes.append(f'{path.name}: {literals} triples with a literal for a tail left out{kept_labels}')
  if quoted:
    notes.append(f'{path.name}: {quoted} triples about triples left out')
  if graphs:
    notes.append(f'{path.name}: the names of graphs, of {graphs} triples, left out')
  kept = {identifier: label for identifier, (_, label) in labels.items() if label}
  return tables.Table(
    heads, relations, tails, range(1, len(heads) + 1), title, notes=tuple(notes), labels=kept, unit='triple'
  )


def format_of(path: pathlib.Path) -> str:
  """The name of a file's format: by how it begins, where that is clear, else by its suffix."""
  suffix = contents.file_suffix(path)
  text = contents.decode(path, contents.read_head(path))
  if text.startswith(('Prefix(', 'Prefix:', 'Ontology(', 'Ontology:')):
    raise DataError(
      f'{path}: this is OWL in functional or Manchester syntax. Convert it to RDF/XML or Turtle, e.g. with '
      '`robot convert --input FILE --output NEW.ttl`.'
    )
  found = recognise(text)
  if found == 'XML' and not (suffix in ('.rdf', '.owl') and '<Ontology' not in text):
    raise DataError(
      f'{path}: this is XML, but not RDF/XML. Convert it to RDF/XML or Turtle, or export the triples as .csv.'
    )
  by_suffix = FORMATS.get(suffix)
  richer = {'N_TRIPLES': ('TURTLE', 'TRIG', 'N3', 'N_QUADS'), 'N_QUADS': ('TRIG',), 'TURTLE': ('TRIG', 'N3')}
  if by_suffix and (found in (None, 'XML', by_suffix) or by_suffix in richer.get(found or '', ())):
    return by_suffix
  return found or 'N_TRIPLES'


def _parse(path: pathlib.Path, form: Any) -> Iterator[Any]:
  """The statements of a file."""
  import pyoxigraph

  content = contents.read_bytes(path)
  limits.check_text(path, 3 * content.count(b'\n'), len(content))
  contents.decode(path, content)  # names what is no UTF-8
  if form == pyoxigraph.RdfFormat.RDF_XML:
    _check_xml(path, content)
  try:
    yield from pyoxigraph.parse(content, format=form)
  except SyntaxError as error:
    where = f', line {error.lineno}' if error.lineno else ''
    remedy = (
      'Name a base in the file: @base <IRI> . in Turtle, xml:base="IRI" in RDF/XML'
      if 'relative' in str(error.msg).lower() or 'scheme' in str(error.msg).lower()
      else 'Mend the line, or export the data anew'
    )
    raise DataError(f'{path}{where}: no {form} ({error.msg}). {remedy}.') from error


def _check_xml(path: pathlib.Path, content: bytes) -> None:
  """Raises DataError for XML that is nested deeply, which takes quadratic time, or whose entities grow without end."""
  depth = 0

  def opens(*_: object) -> None:
    nonlocal depth
    depth += 1
    if depth > DEEPEST:
      raise DataError(
        f'{path}, line {parser.CurrentLineNumber}: elements are nested more than {DEEPEST} deep. Let every node be an '
        'element of its own, or convert it to N-Triples.'
      )

  def closes(_: object) -> None:
    nonlocal depth
    depth -= 1

  parser = expat.ParserCreate('utf-8')
  parser.StartElementHandler, parser.EndElementHandler = opens, closes
  try:
    parser.Parse(content, True)
  except expat.ExpatError as error:
    message = expat.ErrorString(error.code)
    raise DataError(
      f'{path}, line {error.lineno}: no RDF/XML ({message}). Mend the line, or export the data anew.'
    ) from error


def _rank(language: str | None) -> int:
  """How good a label's language is, 0 the best."""
  return {'en': 0, None: 1}.get(language, 2 if language and language.startswith('en-') else 3)
