"""The charts of a page as Vega-Lite, made by altair: what they look like, and none of the data.

Every chart reads the rows called `rows`, and the parameters that the page sets: `picked`, the width; `measure`, the
column to show; `span`, the first and the last width; `ticks` and `sizes`, widths and MiB to name on an axis; `top`, the
end of an axis; `labels`, the opacity of figures on bars; `dot`, the size of points; `ink` and `halo`, the colours of
lines and of what surrounds a point. What a y axis shows is told by the heading above the chart.
"""

from typing import Any

from medjax.report.page.numbers import CATEGORIES
from medjax.serve.interop import extras

alt = extras.need('altair')
IS_PICKED = 'datum.first <= picked && picked < datum.end'
COLOUR = alt.Color('colour:N', scale=None)  # which the page gives every row
Y_AXIS = alt.Axis(title=None, tickCount=4)
SIZES = alt.ExprRef('sizes')
HEIGHT = 250  # pixels
WIDTH_TITLE = 'width (numbers per entity)'


def specifications() -> dict[str, dict[str, Any]]:
  """Returns {name: Vega-Lite specification} of all charts of a page.

  Raises:
    errors.FormatError: altair is not installed.
  """
  charts = {
    'quality': against_width('measured', interval=True),
    'size': against_width('mib', scale='log'),
    'speed': against_width('ms'),
    'tradeoff': against_size(),
    'tail': bars('tail'),
    'head': bars('head'),
    'valid': curves(zero=True),
    'loss': curves(zero=False),
    'reliability': reliability(),
  }
  return {name: chart.add_params(*parameters()).to_dict() for name, chart in charts.items()}


def parameters() -> list[Any]:
  """Returns the parameters that the page sets, with values that it replaces."""
  values = {
    'picked': 1,
    'measure': 'mrr',
    'ticks': [1],
    'sizes': [1],
    'span': [1, 2],
    'top': 1,
    'labels': 0,
    'ink': '',
    'halo': '',
    'dot': 26,
  }
  return [alt.param(name=name, value=value) for name, value in values.items()]


def rows() -> Any:
  """Returns a chart of the rows."""
  return alt.Chart(alt.NamedData('rows'))


def quality_rows() -> Any:
  """Returns a chart of the rows of quality, with the measure that is shown, its interval, and the size in MiB."""
  return rows().transform_calculate(
    measured='datum[measure]',
    mib='datum.bytes / 1048576',
    half='measure == "mrr" && isNumber(datum.mrr_interval) ? datum.mrr_interval : 0',
    low='datum[measure] - datum.half',
    high='datum[measure] + datum.half',
  )


def width_axis() -> Any:
  """Returns the x axis of widths: logarithmic, named at the page's ticks."""
  axis = alt.Axis(values=alt.ExprRef('ticks'), format='d', grid=False, title=WIDTH_TITLE)
  scale = alt.Scale(type='log', base=2, nice=False, padding=12, domain=alt.ExprRef('span'))
  return alt.X('width:Q', scale=scale, axis=axis)


def series() -> dict[str, Any]:
  """Returns the channels that tell runs apart: every row has its colour and its shape."""
  return {
    'color': COLOUR,
    'shape': alt.Shape('shape:N', scale=None),
    'detail': alt.Detail('run:N'),
  }


def tooltip(*more: Any) -> list[Any]:
  """Returns what is told of a row under the pointer."""
  return [alt.Tooltip('run:N'), alt.Tooltip('width:Q'), *more]


def figures() -> list[Any]:
  """Returns the figures of a width under the pointer."""
  return tooltip(
    alt.Tooltip('mrr:Q', title='MRR', format='.4f'),
    alt.Tooltip('hits10:Q', title='Hits@10', format='.4f'),
    alt.Tooltip('mib:Q', title='MiB', format='.2f'),
    alt.Tooltip('ms:Q', title='ms', format='.2f'),
  )


def rule() -> Any:
  """Returns the upright line at the picked width."""
  mark = alt.Chart(alt.InlineData([{}])).mark_rule(strokeDash=[4, 3], opacity=0.7, clip=True)
  return mark.encode(x=alt.XDatum(alt.ExprRef('picked'), type='quantitative'))


def lines(chart: Any, channels: dict[str, Any]) -> list[Any]:
  """Returns the layers of a line a run: the line, its points, and large the point of the picked width."""
  own = series()
  line = chart.mark_line(strokeWidth=2).encode(**channels, color=own['color'], detail=own['detail'])
  points = chart.mark_point(filled=True, opacity=1, size=alt.ExprRef('dot')).encode(
    **channels, **own, tooltip=figures()
  )
  picked = chart.transform_filter(IS_PICKED).mark_point(filled=True, opacity=1, size=170, strokeWidth=2)
  return [line, points, picked.encode(**channels, **own, stroke=alt.value({'expr': 'halo'}), tooltip=figures())]


def against_width(column: str, scale: str = 'linear', interval: bool = False) -> Any:
  """Returns the chart of a column against width.

  Args:
    column: of `quality_rows`.
    scale: of the axis, 'linear', from 0, or 'log'.
    interval: whether the 95% interval of the MRR is shown.
  """
  chart, x = quality_rows(), width_axis()
  axis = alt.Axis(title=None, values=SIZES, format='.2~f') if column == 'mib' else Y_AXIS
  y = alt.Y(f'{column}:Q', scale=alt.Scale(type=scale, nice=scale == 'linear'), axis=axis)
  layers = [rule(), *lines(chart, {'x': x, 'y': y})]
  if interval:
    own = series()
    band = chart.mark_area(opacity=0.18).encode(x=x, y=alt.Y('low:Q'), y2='high', color=own['color'])
    layers.insert(0, band.encode(detail=own['detail']))
  return alt.layer(*layers).properties(width='container', height=HEIGHT)


def against_size() -> Any:
  """Returns the chart of the measure against the size of the tables."""
  axis = alt.Axis(title='MiB of tables, float32', grid=False, values=SIZES, format='.2~f', labelOverlap=True)
  x = alt.X('mib:Q', scale=alt.Scale(type='log', nice=False, padding=12), axis=axis)
  y = alt.Y('measured:Q', scale=alt.Scale(zero=True), axis=Y_AXIS)
  return alt.layer(*lines(quality_rows(), {'x': x, 'y': y})).properties(width='container', height=HEIGHT)


def bars(side: str) -> Any:
  """Returns the chart of the measure on the questions for one side, by category of the relation."""
  chart = (
    rows().transform_filter(f'datum.side == "{side}" && {IS_PICKED}').transform_calculate(measured='datum[measure]')
  )
  x = alt.X(
    'category:N', sort=list(CATEGORIES), axis=alt.Axis(title=None, labelAngle=0), scale=alt.Scale(paddingInner=0.3)
  )
  scale = alt.Scale(domainMin=0, domainMax=alt.ExprRef('top'))
  y = alt.Y('measured:Q', scale=scale, axis=Y_AXIS, stack=None)
  offset = alt.XOffset('run:N', sort=alt.EncodingSortField('series', order='ascending'))
  more = [
    alt.Tooltip('category:N'),
    alt.Tooltip('measured:Q', title='value', format='.4f'),
    alt.Tooltip('queries:Q', title='questions', format=','),
  ]
  shown = chart.mark_bar(cornerRadiusEnd=3).encode(x=x, y=y, xOffset=offset, color=COLOUR, tooltip=tooltip(*more))
  text = chart.mark_text(dy=-7, opacity=alt.ExprRef('labels'))
  text = text.encode(x=x, y=y, xOffset=offset, text=alt.Text('measured:Q', format='.3f'))
  return alt.layer(shown, text).properties(width='container', height=HEIGHT)


def curves(zero: bool) -> Any:
  """Returns the chart of a value of every width against the step of the training."""
  legend = alt.Legend(
    title='width',
    orient='bottom',
    direction='horizontal',
    symbolType='stroke',
    columns=alt.ExprRef('width < 380 ? 4 : 8'),
  )
  told = [alt.Tooltip('width:Q'), alt.Tooltip('step:Q', format=','), alt.Tooltip('value:Q', format='.4f')]
  chart = (
    rows()
    .mark_line()
    .encode(
      x=alt.X('step:Q', axis=alt.Axis(title='step', grid=False, tickCount=5, format='~s')),
      y=alt.Y('value:Q', scale=alt.Scale(zero=zero), axis=Y_AXIS),
      color=alt.Color('width:O', legend=legend),
      strokeWidth=alt.condition(IS_PICKED, alt.value(3.5), alt.value(1.5)),
      tooltip=told,
    )
  )
  return alt.layer(chart).properties(width='container', height=HEIGHT)


def reliability() -> Any:
  """Returns the chart of how often triples were true against how probable they were said to be."""
  x = alt.X('said:Q', scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(title='probability that was said', tickCount=5))
  y = alt.Y('true:Q', scale=alt.Scale(domain=[0, 1]), axis=Y_AXIS)
  ideal = alt.Chart(alt.InlineData([{'at': 0}, {'at': 1}])).mark_line(strokeDash=[4, 3], opacity=0.6, strokeWidth=1.5)
  ideal = ideal.encode(x='at:Q', y='at:Q', color=alt.value({'expr': 'ink'}))
  others = rows().mark_line(strokeWidth=1, opacity=0.28).encode(x=x, y=y, detail='width:Q', color=COLOUR)
  picked = rows().transform_filter(IS_PICKED)
  told = tooltip(
    alt.Tooltip('said:Q', format='.3f'), alt.Tooltip('true:Q', format='.3f'), alt.Tooltip('triples:Q', format=',')
  )
  line = picked.mark_line(strokeWidth=2.5).encode(x=x, y=y, color=COLOUR)
  points = picked.mark_point(filled=True, opacity=1).encode(
    x=x,
    y=y,
    color=COLOUR,
    tooltip=told,
    size=alt.Size('triples:Q', legend=None, scale=alt.Scale(range=[30, 220])),
  )
  return alt.layer(others, ideal, line, points).properties(width='container', height=HEIGHT)
