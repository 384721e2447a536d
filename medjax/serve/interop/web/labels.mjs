// Labels found by what is typed of them, whatever its case and accents.

const PLAIN = { ß: 'ss', ø: 'o', ł: 'l', đ: 'd', ð: 'd', þ: 'th', æ: 'ae', œ: 'oe', ı: 'i', ħ: 'h' };

/** Text without case, accents and surplus white space: 'São  Paulo' and 'sao paulo' are one. */
export function fold(text) {
  const bare = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replace(/[ßøłđðþæœıħ]/g, (c) => PLAIN[c]);
  return bare.replace(/[\s_]+/g, ' ').trim();
}

/**
 * The places of labels that hold a text: { places, total }, at most `most` of them.
 *
 * Those that are the text come first, then those that begin with it, those in which a word does, and the rest; among
 * equals the shorter one.
 */
export function find(labels, folded, text, most) {
  const wanted = fold(text);
  const groups = [[], [], [], []];
  folded.forEach((label, i) => {
    const at = label.indexOf(wanted);
    if (at < 0) return;
    const group = label === wanted ? 0 : at === 0 ? 1 : startsWord(label, wanted, at) ? 2 : 3;
    groups[group].push(i);
  });
  const shorter = (i, j) => labels[i].length - labels[j].length || i - j;
  const total = groups.reduce((sum, group) => sum + group.length, 0);
  const places = [];
  for (const group of groups) {
    if (places.length >= most) break;
    places.push(...(wanted ? group.sort(shorter) : group).slice(0, most - places.length));
  }
  return { places, total };
}

/** Whether a word of a label begins with a text, which is found at `at` first. */
function startsWord(label, wanted, at) {
  for (; at >= 0; at = label.indexOf(wanted, at + 1)) {
    if (!/[\p{L}\p{N}]/u.test(label[at - 1])) return true;
  }
  return false;
}

/** A label as it is shown. */
export const shown = (label) => (label.trim() ? label : '(no name)');
