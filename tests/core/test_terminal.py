"""Text of people's data on a terminal: nothing in it changes what the terminal does."""

import io
import sys

import hypothesis
from hypothesis import strategies as st
import pytest

from medjax.core import terminal

HARMLESS = 'Größe, 日本, \u00a0, \u200d, 👍🏽\n\ttab'


@hypothesis.given(st.text())
def test_nothing_that_controls_a_terminal_is_left(text):
  shown = terminal.plain(text)
  assert not [
    c for c in shown if (ord(c) < 32 and c not in '\n\t') or 127 <= ord(c) < 160 or 0x202A <= ord(c) <= 0x202E
  ]
  assert terminal.plain(shown) == shown
  line = terminal.line(text)
  assert '\n' not in line and '\t' not in line and len(line) <= terminal.LINE
  assert len(terminal.short(text)) <= terminal.LONGEST


def test_what_is_harmless_stays():
  assert terminal.plain(HARMLESS) == HARMLESS
  assert terminal.short('Größe') == 'Größe' and terminal.short('x' * 100) == 'x' * 57 + '...'


@pytest.mark.parametrize('loaded', [True, False])
def test_what_is_said_is_shown_beside_bars_or_without(monkeypatch, capsys, loaded):
  import tqdm

  monkeypatch.setitem(sys.modules, 'tqdm', tqdm) if loaded else monkeypatch.delitem(sys.modules, 'tqdm')
  terminal.say('a\x1b[31mb')
  terminal.say('c\r', file=sys.stderr, end='')
  assert capsys.readouterr() == ('a\\x1b[31mb\n', 'c\\r')


@pytest.mark.parametrize('tty', [True, False])
def test_data_reach_a_file_as_they_are_and_a_terminal_shown(monkeypatch, tty):
  out = io.StringIO()
  out.isatty = lambda: tty
  monkeypatch.setattr(sys, 'stdout', out)
  terminal.put('label\n\x1b[31mred\n')
  assert out.getvalue() == ('label\n\\x1b[31mred\n' if tty else 'label\n\x1b[31mred\n')
