// The slider picks a width: figures, answers and charts follow. All text is set as text, never as HTML.
const data = JSON.parse(document.getElementById('data').textContent);
const slider = document.getElementById('slider');
const SHAPES = ['circle', 'square', 'triangle-up', 'diamond', 'cross', 'triangle-down'];
const PATHS = [
  'M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11z',
  'M3 3h10v10h-10z',
  'M8 2L14 13H2z',
  'M8 1L14 8L8 15L2 8z',
  'M6 2h4v4h4v4h-4v4h-4v-4h-4v-4h4z',
  'M2 3h12L8 14z',
];
const COLOURS = 8;
const charts = new Map();
const state = { width: data.start, measure: 'mrr' };

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const each = (selector, act) => document.querySelectorAll(selector).forEach(act);

function element(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

// The widest of some widths that is not above the picked one, else the narrowest.
function nearest(widths) {
  return widths.filter((width) => width <= state.width).at(-1) ?? widths[0];
}

function rowsOf(name) {
  const { columns, values } = data.rows[name];
  return values.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]])));
}

function theme() {
  const [ink, muted, line] = [css('--ink'), css('--muted'), css('--line')];
  const font = css('--font');
  const ramp = [1, 2, 3, 4, 5, 6, 7].map((i) => css(`--ramp-${i}`));
  return {
    background: 'transparent',
    font,
    aria: false,
    view: { stroke: null },
    range: { ordinal: ramp },
    rule: { color: ink },
    text: { color: muted, fontSize: 11 },
    axis: {
      labelColor: muted, titleColor: muted, gridColor: line, domainColor: line, tickColor: line,
      labelFontSize: 12, titleFontSize: 12, titleFontWeight: 'normal', labelFlush: true, titlePadding: 10,
    },
    legend: { labelColor: muted, titleColor: muted, titleFontWeight: 'normal', labelFontSize: 12 },
  };
}

function highest(rows) {
  return Math.max(0.01, ...rows.map((row) => row[state.measure] ?? 0)) * 1.12;
}

// The first and the last width of rows, apart from each other.
function span(rows) {
  const widths = rows.map((row) => row.width);
  const [first, last] = [Math.min(...widths), Math.max(...widths)];
  return first === last ? [first / 2, last * 2] : [first, last];
}

async function draw(box) {
  const rows = rowsOf(box.dataset.rows).map((row) => ({
    ...row,
    colour: css(`--series-${row.series % COLOURS}`),
    shape: SHAPES[row.series % SHAPES.length],
  }));
  const bars = box.dataset.chart === 'tail' || box.dataset.chart === 'head';
  const few = new Set(rows.map((row) => row.series)).size * 200 < box.clientWidth;
  const ticks = data.ticks[box.dataset.ticks] ?? [];
  const sizes = ticks.map((width) => rows.find((row) => row.width === width)?.bytes / 2 ** 20).filter(Boolean);
  const set = {
    picked: state.width, measure: state.measure, ticks, sizes, span: span(rows),
    top: highest(rows), labels: bars && few ? 1 : 0, ink: css('--ink'), halo: css('--card'),
    dot: data.widths.length > 16 ? 10 : 26,
  };
  const specification = structuredClone(data.specifications[box.dataset.chart]);
  for (const parameter of specification.params) parameter.value = set[parameter.name];
  specification.datasets = { ...specification.datasets, rows };
  const options = { ast: true, renderer: 'svg', actions: false, defaultStyle: false, config: theme() };
  const { view } = await window.vegaEmbed(box, specification, options);
  charts.get(box)?.view.finalize();
  charts.set(box, { view, rows });
  view.signal('picked', state.width).signal('measure', state.measure).signal('top', highest(rows));
  await view.runAsync(); // what was picked while it was made
  box.dataset.drawn = 'true';
}

function showFigures() {
  const widths = Object.fromEntries(
    Object.entries(data.runs).map(([id, run]) => [id, nearest(Object.keys(run.shown).map(Number))]));
  each('[data-figure]', (place) => {
    const said = data.runs[place.dataset.run].shown[widths[place.dataset.run]];
    const optional = place.dataset.figure === 'interval';
    if (said) place.textContent = said[place.dataset.figure] || (optional ? '' : '–');
  });
  each('[data-own-width]', (place) => { place.textContent = widths[place.dataset.run] ?? ''; });
  each('[data-nearest]', (place) => { place.hidden = widths[place.dataset.run] === state.width; });
  each('[data-picked]', (place) => { place.textContent = state.width; });
  each('tr[data-width]', (row) => {
    row.classList.toggle('picked', Number(row.dataset.width) === widths[row.dataset.run]);
  });
}

function showAnswers() {
  each('.column[data-question]', (column) => {
    const asked = data.runs[column.dataset.run].questions;
    const question = asked.questions[Number(column.dataset.question)];
    const width = nearest(asked.widths);
    const at = asked.widths.indexOf(width);
    const heading = element('h5', `width ${width} `);
    heading.append(element('span', `rank ${question.ranks[at].toLocaleString('en')}`));
    const list = element('ol');
    for (const place of question.best[at]) {
      const right = place === question.right_place;
      const item = element('li', undefined, right ? 'right' : '');
      item.append(element('span', question.names[place]));
      const tag = right ? 'right' : question.known[place];
      if (tag) item.append(' ', element('span', tag, right ? 'tag right' : 'tag'));
      list.append(item);
    }
    column.replaceChildren(heading, list);
  });
}

function pick(width) {
  state.width = width;
  slider.value = data.widths.indexOf(width);
  slider.setAttribute('aria-valuetext', `width ${width}`);
  document.getElementById('picked').textContent = width;
  slider.style.setProperty('--share', data.widths.length > 1 ? slider.value / (data.widths.length - 1) : 1);
  showFigures();
  showAnswers();
  for (const { view } of charts.values()) view.signal('picked', width).runAsync();
}

function measure(name, shown) {
  state.measure = name;
  each('[data-measure-name]', (place) => { place.textContent = shown; });
  for (const { view, rows } of charts.values()) view.signal('measure', name).signal('top', highest(rows)).runAsync();
}

// A few names below the slider, where there is room.
function ticks() {
  const box = document.querySelector('.ticks');
  const last = data.widths.length - 1;
  const quarters = new Set([0, 1, 2, 3, 4].map((k) => Math.max(0, Math.round((k * (last + 1)) / 4) - 1)));
  const few = data.widths.filter((_, i) => last < 8 || quarters.has(i));
  for (const width of few) {
    const name = element('span', width);
    name.style.setProperty('--share', last ? data.widths.indexOf(width) / last : 1);
    box.append(name);
  }
}

function named() {
  const found = Number(/width=(\d+)/.exec(location.hash)?.[1]);
  return data.widths.includes(found) ? found : data.start;
}

each('.mark', (mark) => {
  mark.firstElementChild.setAttribute('d', PATHS[mark.dataset.series % PATHS.length]);
  mark.style.color = `var(--series-${mark.dataset.series % COLOURS})`;
});
each('.card', (card) => card.style.setProperty('--own', `var(--series-${card.dataset.series % COLOURS})`));

if (slider) {
  ticks();
  document.getElementById('bar').hidden = false;
  pick(named());
  slider.addEventListener('input', () => {
    pick(data.widths[slider.value]);
    history.replaceState(null, '', `#width=${state.width}`);
  });
  each('input[name="measure"]', (choice) => {
    choice.addEventListener('change', () => measure(choice.value, choice.dataset.name));
  });
  addEventListener('hashchange', () => pick(named()));
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      draw(target);
    }
  }, { rootMargin: '600px' });
  each('.chart', (box) => seen.observe(box));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => [...charts.keys()].forEach(draw));
  addEventListener('beforeprint', () => each('.chart:not([data-drawn])', draw));
}
