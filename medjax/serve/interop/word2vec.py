"""word2vec: entities.txt and relations.txt in word2vec's text format, as gensim's KeyedVectors read it.

The first line is `count width`, every other a word and its numbers, written so that float32 comes back exactly. White
space in a label becomes _; words that would be equal then are numbered. entities.words.tsv says which entity a word is.
Note that gensim's `most_similar` compares cosines, which no score here is.
"""

import pathlib
from typing import TYPE_CHECKING

from medjax.saved.files import replacing, write_text
from medjax.saved.graph_files import escape
from medjax.serve import vectors
from medjax.serve.interop import names

if TYPE_CHECKING:
  from medjax.serve.model import Model


def write(model: 'Model', folder: pathlib.Path, dtype: str) -> None:
  """Writes the vectors of entities and relations, and a table of words, identifiers and labels for each."""
  for name, words, table in (
    ('entities', model.entities, vectors.entity_vectors(model)),
    ('relations', model.relations, vectors.relation_vectors(model)),
  ):
    plain = names.distinct(words.labels)
    with replacing(folder / f'{name}.txt') as file:
      file.write(f'{len(table)} {table.shape[1]}\n'.encode())
      for word, row in zip(plain, table):
        file.write(f'{word} {" ".join(format(number, ".9g") for number in row.tolist())}\n'.encode())
    rows = zip(plain, words.identifiers, words.labels)
    text = ''.join(f'{word}\t{escape(identifier)}\t{escape(label)}\n' for word, identifier, label in rows)
    write_text(folder / f'{name}.words.tsv', f'word\tid\tlabel\n{text}')
