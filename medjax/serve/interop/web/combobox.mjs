// A text field that suggests labels, as the ARIA pattern "editable combobox with list autocomplete" has it.

import { find, fold, shown } from './labels.mjs';

const MOST = 50; // suggestions at once

/**
 * Makes a combobox of an <input> and the <ul> behind it.
 *
 * Down and Up move through the suggestions, Enter or leaving by Tab takes one, Escape closes them and a second one empties
 * the field. What is left in the field without a choice gives way to the last choice.
 *
 * @param input, list: the elements.
 * @param labels: all labels.
 * @param chosen: called with the place of a label once one is chosen.
 * @returns {{ value, choose }}: the place of the chosen label or null, and a function that sets it without a call.
 */
export function combobox(input, list, labels, chosen) {
  const state = { value: null, active: -1, places: [] };
  let folded;

  const isOpen = () => !list.hidden;
  const options = () => list.querySelectorAll('[role=option]');

  function suggest(text) {
    folded ??= labels.map(fold);
    const { places, total } = find(labels, folded, text, MOST);
    const at = text ? -1 : state.value; // a field that is only opened shows where its choice stands
    const first = at > MOST / 2 && total > MOST ? Math.min(at - MOST / 2, total - MOST) : 0;
    state.places = first ? Array.from({ length: MOST }, (_, i) => first + i) : places;
    list.replaceChildren(...state.places.map(option));
    if (!total) list.append(note('Nothing is called so.'));
    if (total > MOST) list.append(note(`${(total - MOST).toLocaleString('en')} more: type on.`));
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
    activate(text ? 0 : Math.max(state.places.indexOf(state.value), 0));
  }

  function option(place, i) {
    const item = document.createElement('li');
    item.id = `${list.id}-${i}`;
    item.setAttribute('role', 'option');
    item.dir = 'auto';
    item.textContent = shown(labels[place]);
    item.setAttribute('aria-selected', 'false');
    return item;
  }

  function note(text) {
    const item = document.createElement('li');
    item.className = 'note';
    item.setAttribute('role', 'presentation');
    item.textContent = text;
    return item;
  }

  function activate(i) {
    const items = options();
    items[state.active]?.setAttribute('aria-selected', 'false');
    state.active = items.length ? (i + items.length) % items.length : -1;
    const item = items[state.active];
    if (!item) return input.removeAttribute('aria-activedescendant');
    item.setAttribute('aria-selected', 'true');
    input.setAttribute('aria-activedescendant', item.id);
    item.scrollIntoView({ block: 'nearest' });
  }

  function close() {
    list.hidden = true;
    list.replaceChildren();
    state.active = -1;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  }

  function take(i) {
    choose(state.places[i]);
    close();
    chosen(state.value);
  }

  function choose(place) {
    state.value = place;
    input.value = place === null ? '' : labels[place];
  }

  const keys = {
    ArrowDown: () => (isOpen() ? activate(state.active + 1) : suggest('')),
    ArrowUp: () => (isOpen() ? activate(state.active - 1) : suggest('')),
    Enter: () => isOpen() && state.active >= 0 && take(state.active),
    Tab: () => isOpen() && state.active >= 0 && input.value && input.value !== labels[state.value] && take(state.active),
    Escape: () => {
      if (isOpen()) return close();
      choose(null);
      chosen(null);
    },
  };
  input.addEventListener('keydown', (event) => {
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey || !(event.key in keys)) return;
    if (event.key !== 'Tab') event.preventDefault();
    keys[event.key]();
  });
  input.addEventListener('input', () => suggest(input.value));
  input.addEventListener('focus', () => input.select());
  input.addEventListener('click', () => isOpen() || suggest(''));
  input.addEventListener('blur', () => {
    close();
    choose(state.value);
  });
  list.addEventListener('pointerdown', (event) => event.preventDefault()); // the field keeps the focus
  list.addEventListener('click', (event) => {
    const i = [...options()].indexOf(event.target.closest('[role=option]'));
    if (i >= 0) take(i);
  });
  return {
    get value() {
      return state.value;
    },
    choose,
  };
}
