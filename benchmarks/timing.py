"""Interleaved rounds, ratios of them, and their tables."""

import statistics


def interleave(cases, rounds):
  """Measures {name: () -> seconds} in turn (A, B, C, A, B, C, ...) and returns {name: [seconds of each round]}."""
  measured = {name: [] for name in cases}
  for _ in range(rounds):
    for name, measure in cases.items():
      measured[name].append(measure())
  return measured


def ratio(measured, above, below):
  """Returns the ratio of two rows' medians, and the median and range of the ratios of their rounds."""
  pairs = [a / b for a, b in zip(measured[above], measured[below])]
  return {
    'of': above,
    'to': below,
    'ratio_of_medians': statistics.median(measured[above]) / statistics.median(measured[below]),
    'paired_median': statistics.median(pairs),
    'paired_low': min(pairs),
    'paired_high': max(pairs),
  }


def spread(values):
  """Returns the median, the smallest and the largest of some values."""
  return {'median': statistics.median(values), 'low': min(values), 'high': max(values)}


def table(rows):
  """Returns dicts of text as an aligned table, the first column to the left."""
  names = list(rows[0])
  columns = {name: [name, *(str(row.get(name, '')) for row in rows)] for name in names}
  size = {name: max(map(len, column)) for name, column in columns.items()}
  pad = lambda name: str.ljust if name == names[0] else str.rjust
  line = lambda i: '  '.join(pad(name)(columns[name][i], size[name]) for name in names).rstrip()
  return '\n'.join(line(i) for i in range(len(rows) + 1))


def ratio_table(ratios):
  """Returns the table of `ratio`s."""
  return table(
    [
      {
        'ratio': f'{r["of"]} : {r["to"]}',
        'of medians': f'{r["ratio_of_medians"]:.3f}',
        'paired median': f'{r["paired_median"]:.3f}',
        'paired range': f'{r["paired_low"]:.3f} to {r["paired_high"]:.3f}',
      }
      for r in ratios
    ]
  )
