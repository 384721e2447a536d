// The scores of a question with all entities, and the best of them: what medjax.serve computes with NumPy.
//
// A relation comes ready for either question. What is left are four ways to apply it to the entity that is given, and
// five ways to compare the outcome, which is the query, with every entity; no score needs code of its own.

const TYPES = {
  float32: Float32Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
};

/** The query: numbers of the entity that is given, under a relation. Numbers of a component are neighbours. */
const QUERIES = {
  add: (entity, relation) => entity.map((x, i) => x + relation[i]),
  multiply: (entity, relation) => entity.map((x, i) => x * relation[i]),
  cross: (entity, relation) => entity.map((_, i) => entity[i ^ 1] * relation[i]),
  turn: (entity, relation) =>
    entity.map((x, i) =>
      i & 1 ? entity[i - 1] * relation[i] + x * relation[i - 1] : x * relation[i] - entity[i + 1] * relation[i + 1],
    ),
};

/** Raw scores of all entities, written to `out`: of a query `q`; `stretch` is PairRE's, which stretches the answer. */
const METRICS = {
  ip(entities, q, out) {
    for (let e = 0, at = 0; e < out.length; e++) {
      let sum = 0;
      for (let i = 0; i < q.length; i++, at++) sum += entities[at] * q[i];
      out[e] = sum;
    }
  },
  l1(entities, q, out) {
    for (let e = 0, at = 0; e < out.length; e++) {
      let sum = 0;
      for (let i = 0; i < q.length; i++, at++) sum += Math.abs(entities[at] - q[i]);
      out[e] = -sum;
    }
  },
  l2(entities, q, out) {
    for (let e = 0, at = 0; e < out.length; e++) {
      let sum = 0;
      for (let i = 0; i < q.length; i++, at++) sum += (entities[at] - q[i]) ** 2;
      out[e] = -Math.sqrt(sum);
    }
  },
  moduli(entities, q, out) {
    for (let e = 0, at = 0; e < out.length; e++) {
      let sum = 0;
      for (let i = 0; i < q.length; i += 2, at += 2) {
        const re = entities[at] - q[i];
        const im = entities[at + 1] - q[i + 1];
        sum += Math.sqrt(re * re + im * im);
      }
      out[e] = -sum;
    }
  },
  stretched(entities, q, out, stretch) {
    for (let e = 0, at = 0; e < out.length; e++) {
      let sum = 0;
      for (let i = 0; i < q.length; i++, at++) sum += Math.abs(entities[at] * stretch[i] - q[i]);
      out[e] = -sum;
    }
  },
};

/** The model of a page's data (see for_web.py), its entities as float32 [E, D]. */
export function load(data) {
  const arrays = Object.fromEntries(Object.entries(data.arrays).map(([name, array]) => [name, decode(array)]));
  const entity = new Float32Array(arrays.entity);
  if (arrays.factors) entity.forEach((x, i) => (entity[i] = x * arrays.factors[i % data.width]));
  if (data.unit) makeUnit(entity, data.width);
  return { ...data, ...arrays, entity, loops: new Set(data.loops), out: new Float32Array(data.entities.length) };
}

/** The scores of all entities as the answer of a question: float32 [E], which the next question writes over. */
export function scores(model, { side, anchor, relation }) {
  const { width, out } = model;
  const row = (table, i) => table.subarray(i * width, (i + 1) * width);
  const other = side === 'tail' ? 'head' : 'tail';
  const query = QUERIES[model.query](row(model.entity, anchor), row(model[side], relation));
  METRICS[model.metric](model.entity, query, out, row(model[other], relation));
  for (let e = 0; e < out.length; e++) out[e] = model.offset + model.scale * out[e];
  return out;
}

/** Map of entity -> place among train, valid, test of the first split that holds the triple; empty without triples. */
export function known(model, { side, anchor, relation }) {
  const found = new Map();
  if (!model.splits) return found;
  const { heads, links, tails } = model; // of all triples
  const [given, asked] = side === 'tail' ? [heads, tails] : [tails, heads];
  let place = 0;
  for (let i = 0, end = model.splits[0]; i < given.length; i++) {
    while (i === end) end += model.splits[++place];
    if (given[i] === anchor && links[i] === relation && !found.has(asked[i])) found.set(asked[i], place);
  }
  return found;
}

/** The ids of the k best, best first; of equal ones the smaller id comes first, and what is no number never comes. */
export function best(values, k, skipped = new Set()) {
  const ids = [];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (ids.length === k && !(value > values[ids[k - 1]])) continue;
    if (skipped.has(i) || value !== value) continue;
    let at = ids.length < k ? ids.length : k - 1;
    for (; at > 0 && values[ids[at - 1]] < value; at--) ids[at] = ids[at - 1];
    ids[at] = i;
  }
  return ids;
}

/**
 * The best answers of a question, best first: [{ id, score, split }].
 *
 * The entity that is given answers no question about itself, unless the graph has such a triple of the relation; `fresh`
 * leaves out what the graph holds.
 */
export function answer(model, question, k, fresh = false) {
  const values = scores(model, question);
  const facts = known(model, question);
  const skipped = new Set(fresh ? facts.keys() : []);
  if (!model.loops.has(question.relation)) skipped.add(question.anchor);
  return best(values, k, skipped).map((id) => ({ id, score: values[id], split: facts.get(id) }));
}

/** An array of { type, data }, whose data are base64 of little-endian numbers. */
function decode({ type, data }) {
  const text = atob(data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const array = new TYPES[type](bytes.buffer);
  return type === 'float16' ? Float32Array.from(array, half) : array;
}

/** The number that 16 bits of IEEE 754 stand for; infinities and the like are never stored. */
function half(bits) {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size = exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction;
  return bits >> 15 ? -size : size;
}

/** Makes the length of every row 1, as PairRE has it. */
function makeUnit(table, width) {
  for (let at = 0; at < table.length; at += width) {
    const row = table.subarray(at, at + width);
    const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 1e-12));
    row.forEach((x, i) => (row[i] = x / length));
  }
}
