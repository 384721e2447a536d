"""A made-up data set in RecBole's atomic files: four readers and six books."""

FILES = {
  'inter': [
    'user_id:token\titem_id:token\trating:float\ttimestamp:float',
    *('a\t1\t5\t10', 'a\t2\t4\t20', 'a\t3\t2\t30', 'a\t4\t5\t40', 'a\t5\t4\t50', 'a\t6\t1\t60'),
    *('b\t1\t4\t5', 'b\t2\t5\t5', 'b\t3\t4\t5', 'b\t4\t5\t5'),
    *('c\t1\t5\t1', 'c\t2\t4\t2'),
    *('d\t6\t3\t9', 'd\t5\t5\t8', 'd\t4\t5\t7', 'd\t3\t5\t6'),
  ],
  'user': [
    'user_id:token\tage:float\tjob:token\ttown:token\tmotto:token_seq',
    *('a\t20\tcook\tx\tread on', 'b\t30\tsmith\tx\t', 'c\t40\tcook\t\tso it goes', 'd\t50\tsmith\ty\thum'),
  ],
  'item': [
    'item_id:token\tbook_title:token_seq\tshelf:token\tisbn:token\ttopic:token_seq\tpages:float',
    *('1\tWater Music\tp\t901\triver song\t100', '2\tDry Land\tp\t902\tdesert\t', '3\tHigh Sea\tq\t903\triver\t90'),
    *('4\tLow Tide\tq\t904\tsong desert\t80', '5\tSalt\tp\t905\t\t70', '6\t\tq\t906\tsong\t60'),
  ],
  'kg': [
    'head_id:token\trelation_id:token\ttail_id:token',
    *('b1\tby\tann', 'ann\twrote\tb1', 'b2\tby\tann', 'ann\twrote\tb2', 'b3\tby\tbob', 'bob\twrote\tb3'),
    *('b4\tby\tbob', 'bob\twrote\tb4', 'ann\tknows\tbob', 'b1\tby\tann'),
  ],
  'link': ['item_id:token\tentity_id:token', *(f'{i}\tb{i}' for i in range(1, 5)), '9\tb9'],
}


def write(parent, **changed):
  """Writes the files, some with other lines or (None) left out, into a folder below `parent`; returns it."""
  folder = parent / 'books'
  folder.mkdir(exist_ok=True)
  for suffix, rows in (FILES | changed).items():
    path = folder / f'books.{suffix}'
    path.unlink(missing_ok=True)
    if rows is not None:
      path.write_text('\n'.join(rows) + '\n', encoding='utf-8')
  return folder


def with_line(suffix, number, text):
  """{suffix: the lines of a file} with one of them changed."""
  return {suffix: [*FILES[suffix][: number - 1], text, *FILES[suffix][number:]]}
