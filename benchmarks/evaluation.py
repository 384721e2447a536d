"""Seconds of a filtered evaluation: all widths at once, one width alone, and PyKEEN's evaluator.

  python -m benchmarks.evaluation --score=transe --peer-python=PATH --peer-triples=512

Parameters are random: the arithmetic is the same. Seconds include the index of known answers, on both sides.
"""

from medjax.core import runtime

if __name__ == '__main__':
  runtime.use_huge_pages()

from benchmarks import client, graph_data, running, timing, trainings


def whole(seconds, one, asked, total):
  """Returns the seconds of all `total` triples from those of `asked` of them and of one alone (0: unknown)."""
  return seconds if asked == total else one + (seconds - one) * (total - bool(one)) / (asked - bool(one))


def measure(arguments, data):
  if arguments.peer_triples == 1:
    raise ValueError('--peer-triples=1: at least 2, since one alone is measured beside them')
  total, known = len(data.test), data.triples
  asked, peer_asked = (graph_data.sample(data.test, count) for count in (arguments.triples, arguments.peer_triples))
  setups = [trainings.setup(arguments), trainings.setup(arguments, 'direct', widths=trainings.full_width(arguments))]
  full, model = setups[0].widths.full, trainings.random_model(setups[0], data)
  names = [f'medjax, {len(setups[0].widths.values)} widths at once', f'medjax, width {full} alone']

  def own(setup):
    seconds = trainings.evaluation_seconds(setup, model, asked, known, arguments.eval_batch)
    return {'seconds': seconds, 'whole': whole(seconds, 0.0, len(asked), total)}

  def peers():
    answer = peer.rounds()
    return answer | {'whole': whole(answer['seconds'], answer['seconds_of_one'], len(peer_asked), total)}

  cases = {name: lambda setup=setup: own(setup) for name, setup in zip(names, setups)}
  sizes = dict.fromkeys(names, len(asked))
  with client.peer(arguments, 'evaluate', data, {'eval_batch': arguments.peer_batch}, peer_asked) as peer:
    for setup in setups:
      own(setup)  # compiles for every number of known answers that a batch has
    if peer:
      cases[f'PyKEEN, width {full} alone'] = peers
      sizes[f'PyKEEN, width {full} alone'] = len(peer_asked)
    answers = timing.interleave(cases, arguments.rounds)
    about = peer.about if peer else None
  test = {name: [answer['whole'] for answer in answers[name]] for name in answers}
  took = {name: [answer['seconds'] for answer in answers[name]] for name in answers}
  rows = [row(name, took[name], test[name], sizes[name], total) for name in answers]
  ratios = [timing.ratio(test, a, b) for a, b in pairs(list(answers))]
  # one term per query, entity and component, whatever the number of widths
  terms = 2 * len(asked) * data.num_entities * full // setups[0].score.components
  rate = terms / timing.spread(took[names[0]])['median']
  text = [
    timing.table(rows),
    '',
    timing.ratio_table(ratios),
    '',
    f'{total:,} test triples, {data.num_entities:,} entities; ratios are of the whole test set. The first row '
    f'computes {rate / 1e9:.2f} billion terms per second.',
    *client.words(about),
  ]
  return '\n'.join(text), {
    'test_triples': total,
    'entities': data.num_entities,
    'asked': sizes,
    'seconds': {name: timing.spread(values) for name, values in took.items()},
    'whole_test_seconds': {name: timing.spread(values) for name, values in test.items()},
    'extrapolated': {name: sizes[name] != total for name in answers},
    'rounds_seconds': test,
    'ratios': ratios,
    'terms_per_second': rate,
    'peer': about,
  }


def pairs(names):
  """Which rows are compared: all widths to one, and each of ours to PyKEEN."""
  return [(names[0], names[1])] + [(name, names[2]) for name in names[:2] if len(names) > 2]


def row(name, seconds, test, asked, total):
  """Returns a line of the table."""
  mark = '' if asked == total else ' (extrapolated)'
  values = timing.spread(test)
  return {
    'evaluation': name,
    'triples': f'{asked:,}',
    'seconds': f'{timing.spread(seconds)["median"]:.3f}',
    's per 1000 triples': f'{values["median"] / total * 1000:.3f}',
    'whole test, s': f'{values["median"]:.2f}{mark}',
    'low': f'{values["low"]:.2f}',
    'high': f'{values["high"]:.2f}',
  }


def main(argv=None):
  options = running.parser('evaluation', __doc__)
  running.add_peer(options)
  options.add_argument('--triples', type=int, default=0, help='test triples, evenly spaced; 0 = all')
  options.add_argument('--eval-batch', type=running.positive, default=256, help='queries ranked at once')
  options.add_argument('--peer-triples', type=int, default=512, help="PyKEEN's test triples; 0 = all")
  options.add_argument('--peer-batch', type=int, default=0, help="PyKEEN's batch; 0 = its own choice (32 on a CPU)")
  return running.run(options, measure, argv)


if __name__ == '__main__':
  main()
