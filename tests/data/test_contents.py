"""What a file is: unpacked, or refused by its name with the remedy."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest

from medjax.data import contents, reading
from medjax.errors import DataError

TEXT = 'a\tr\tb\nb\tr\tc\n'


def zipped(name):
  buffer = io.BytesIO()
  with zipfile.ZipFile(buffer, 'w') as file:
    file.writestr(name, TEXT)
  return buffer.getvalue()


def tarred():
  buffer = io.BytesIO()
  with tarfile.open(fileobj=buffer, mode='w') as file:
    file.addfile(tarfile.TarInfo('train.txt'), io.BytesIO(b''))
  return buffer.getvalue()


@pytest.mark.parametrize('pack', [bytes, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize('name', ['a.tsv', 'a.tsv.gz', 'a.txt.bz2', 'a.xz'])
def test_packed_text_is_read_whatever_its_name(tmp_path, pack, name):
  (tmp_path / name).write_bytes(pack(TEXT.encode()))
  assert reading.read(tmp_path / name).tails == ['b', 'c']


@pytest.mark.parametrize(
  'name, content, words',
  [
    ('a.zip', zipped('a.tsv'), 'a zip archive.*Unpack'),
    ('a.xlsx', zipped('xl/worksheets/sheet1.xml'), 'an Excel workbook.*[.]csv'),
    ('a.tsv', zipped('xl/worksheets/sheet1.xml'), 'an Excel workbook'),
    ('a.ods', zipped('content.xml'), r'no text but \.ods'),
    ('a.tar', tarred(), 'a tar archive'),
    ('a.tar.gz', gzip.compress(tarred(), mtime=0), 'a tar archive'),
    ('a.tsv.zst', b'\x28\xb5\x2f\xfd\x00\xff', 'Zstandard.*unzstd'),
    ('a.txt', b'PAR1\x15\x00\xff', 'Parquet.*[.]parquet'),
    ('a.db', b'SQLite format 3\x00' + bytes(50), 'SQLite'),
    ('a.pkl', b'\x80\x04\x95\x00', 'a pickle.*runs no code'),
    ('a.tsv', TEXT.encode('utf-16'), 'UTF-16.*iconv -f UTF-16 -t UTF-8'),
    ('a.tsv', b'\xfe\xff' + TEXT.encode('utf-16-be'), 'UTF-16'),
    ('a.tsv', TEXT.encode('utf-32'), 'UTF-32'),
    ('a.tsv', 'a\tr\tb\nb\tr\té\n'.encode('latin-1'), 'line 2.*LATIN1'),
    ('a.tsv.bz2', bz2.compress(TEXT.encode())[:-4], 'cannot be read'),
    ('a.tsv.xz', lzma.compress(TEXT.encode())[:-4], 'cannot be read'),
    ('a.json', b'[["a", "r", "b"]]', 'this is JSON.*[.]csv'),
    ('a.jsonl', b'{"head": "a"}', 'lines of JSON'),
    ('a.dat', b'{"head": "a"}', 'this is JSON'),
    ('a.obo', b'format-version: 1.2', 'this is OBO.*robot convert'),
    ('a.graphml', b'<?xml version="1.0"?><graphml/>', 'GraphML'),
    ('a.txt', b'<?xml version="1.0"?><graphml/>', 'XML, but not RDF/XML'),
  ],
)
def test_what_is_no_text_is_named(tmp_path, name, content, words):
  (tmp_path / name).write_bytes(content)
  with pytest.raises(DataError, match=words) as caught:
    reading.read(tmp_path / name)
  assert name in str(caught.value)
  assert 'LATIN1' not in str(caught.value) or 'LATIN1' in words


def test_text_that_begins_like_a_format_is_text(tmp_path):
  (tmp_path / 'genes.tsv').write_text('PAR1\tr\tORC\nBZh9\tr\tPAR1\n')
  assert reading.read(tmp_path / 'genes.tsv').heads == ['PAR1', 'BZh9']


def test_the_head_of_a_file_ends_with_a_line(tmp_path, monkeypatch):
  monkeypatch.setattr(contents, 'HEAD', 8)
  (tmp_path / 'a.tsv').write_text(TEXT)
  assert contents.read_head(tmp_path / 'a.tsv') == b'a\tr\tb\n'
