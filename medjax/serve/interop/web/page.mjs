// The page: a question put together from labels, its answers, and what they cost.

import { combobox } from './combobox.mjs';
import { shown } from './labels.mjs';
import { answer, load } from './scoring.mjs';

const $ = (id) => document.getElementById(id);
const SPLITS = ['train', 'valid', 'test'];
const TRIES = 30; // relations, at most, of which an example takes the most plausible

const source = $('data').textContent;
const model = load(JSON.parse(source));
const number = (x) => x.toLocaleString('en');
const bytes = (x) => (x < 1e6 ? `${Math.round(x / 1e3)} kB` : `${(x / 1e6).toFixed(1)} MB`);
const text = (tag, className, content) => {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = content;
  return element;
};

const anchor = combobox($('anchor'), $('anchor-list'), model.entities, ask);
const relation = combobox($('relation'), $('relation-list'), model.relations, ask);
let side = 'tail';

/** Makes the page ask for the 'tail' or the 'head'; the fields stand in the order of a triple. */
function turn(to) {
  side = to;
  const given = side === 'tail' ? 'head' : 'tail';
  document.querySelector(`[name=side][value=${side}]`).checked = true;
  $('anchor-label').textContent = given;
  $('asked-label').textContent = side;
  const fields = [$('anchor-field'), $('relation-field'), $('asked-field')];
  const focused = document.activeElement;
  $('triple').replaceChildren(...(side === 'tail' ? fields : fields.reverse()));
  focused?.focus();
}

/** Answers the question in the fields, or says what it lacks. */
function ask() {
  remember();
  const complete = anchor.value !== null && relation.value !== null;
  $('start').hidden = complete;
  $('outcome').hidden = !complete;
  if (!complete) {
    const lacking = anchor.value === null ? `the ${$('anchor-label').textContent}` : 'the relation';
    $('lacking').textContent = `Type ${lacking}, and the model ranks all ${number(model.entities.length)} entities.`;
    document.title = model.title;
    return;
  }
  const question = { side, anchor: anchor.value, relation: relation.value };
  const begun = performance.now();
  const found = answer(model, question, Number($('count').value), $('fresh').checked);
  const elapsed = performance.now() - begun;
  const given = shown(model.entities[question.anchor]);
  const words = [given, shown(model.relations[question.relation]), '?'];
  const title = (side === 'tail' ? words : words.reverse()).join(' · ');
  document.title = `${title} – ${model.title}`;
  $('answers').replaceChildren(...found.map((one) => row(one, found[0].score)));
  $('status').textContent = found.length
    ? `${number(found.length)} of ${number(model.entities.length)} entities, all scored in ${milliseconds(elapsed)}`
    : 'No answer is left: the graph holds all of them.';
}

/** An answer; its bar is shorter than the best one's by a factor of e for a score that is 1 less. */
function row({ id, score, split }, first) {
  const item = document.createElement('li');
  const button = document.createElement('button');
  button.type = 'button';
  button.title = 'Ask about this one';
  button.dataset.entity = id;
  const label = text('span', 'label', shown(model.entities[id]));
  label.dir = 'auto';
  const bar = text('span', 'bar', '');
  bar.style.setProperty('--part', Math.exp(score - first));
  button.append(label);
  if (split !== undefined) button.append(text('span', 'known', SPLITS[split]));
  button.append(text('span', 'score', score.toFixed(3)), bar);
  item.append(button);
  return item;
}

const milliseconds = (elapsed) => (elapsed > 0 ? `${elapsed.toFixed(1)} ms` : 'under 1 ms'); // coarse clocks show none

/** Puts a question that the model finds easy into the fields: any entity, and the relation whose best answer leads. */
function example() {
  const entity = Math.floor(Math.random() * model.entities.length);
  const every = model.relations.map((_, i) => i);
  const tried = every.sort(() => Math.random() - 0.5).slice(0, TRIES);
  const lead = (i) => answer(model, { side, anchor: entity, relation: i }, 1)[0]?.score ?? -Infinity;
  anchor.choose(entity);
  relation.choose(tried.map((i) => [lead(i), i]).reduce((a, b) => (b[0] > a[0] ? b : a))[1]);
  ask();
}

/** Writes the question into the address, from which the page reads it when it opens: a question can be passed on. */
function remember() {
  const words = new URLSearchParams();
  if (anchor.value !== null) words.set($('anchor-label').textContent, model.entities[anchor.value]);
  if (relation.value !== null) words.set('relation', model.relations[relation.value]);
  if (`#${words}` !== (location.hash || '#')) location.replace(`#${words}`);
}

/** Asks the question of the address. */
function recall() {
  const words = new URLSearchParams(location.hash.slice(1));
  const place = (labels, name) => (labels.includes(words.get(name)) ? labels.indexOf(words.get(name)) : null);
  turn(words.has('tail') ? 'head' : 'tail');
  anchor.choose(place(model.entities, words.has('tail') ? 'tail' : 'head'));
  relation.choose(place(model.relations, 'relation'));
  ask();
}

/** Says what was loaded; over http, keeps it for when there is no network. */
async function keep() {
  const loaded = performance.getEntriesByType('navigation')[0]?.decodedBodySize || new Blob([source]).size;
  $('loaded').textContent = `${bytes(loaded)} loaded, ${bytes(model.stored)} of ${model.dtype} numbers in them.`;
  if (!location.protocol.startsWith('http')) return;
  const link = document.createElement('link');
  link.rel = 'manifest';
  link.href = 'manifest.webmanifest';
  document.head.append(link);
  if (!navigator.serviceWorker) return;
  await navigator.serviceWorker.register('sw.js');
  await navigator.serviceWorker.ready;
  $('offline').textContent = ' Kept on this device: it opens offline.';
}

$('title').textContent = model.title;
const about = [
  `${number(model.entities.length)} entities`,
  `${number(model.relations.length)} relations`,
  `${model.score}, width ${model.width}`,
];
$('about').textContent = about.map((part) => part.replaceAll(' ', '\u00a0')).join('\u00a0· '); // lines break between
$('notes').replaceChildren(...model.notes.map((note) => text('li', '', note)));
$('data-notes').hidden = !model.notes.length;
$('fresh-field').hidden = !model.splits;
for (const radio of document.querySelectorAll('[name=side]')) {
  radio.addEventListener('change', () => {
    turn(radio.value);
    ask();
  });
}
for (const id of ['count', 'fresh']) $(id).addEventListener('change', ask);
$('example').addEventListener('click', example);
$('answers').addEventListener('click', (event) => {
  const chosen = event.target.closest('button');
  if (!chosen) return;
  anchor.choose(Number(chosen.dataset.entity));
  ask();
  scrollTo({ top: 0 });
  $('status').focus({ preventScroll: true }); // the button is gone
});
addEventListener('hashchange', recall);
recall();
keep().catch(() => {}); // without a place to keep it, the page works all the same
