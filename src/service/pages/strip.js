// entries → the strip at the bottom: one button per picture, with its answer.
import { createElement, elementOf, setPicture } from './elements.js';
import { say, sayPercent, sayProblem } from './language.js';

/** @typedef {import('./entries.js').Entry} Entry */
/** @typedef {ReturnType<typeof createItem>} Item */

/** @type {WeakMap<Entry, Item>} */
const items = new WeakMap();

/**
 * @param {Entry[]} entries the latest first.
 * @param {Entry | undefined} selected
 * @param {(entry: Entry) => void} select
 */
export function renderStrip(entries, selected, select) {
  elementOf('strip').hidden = entries.length === 0;
  elementOf('count').textContent = String(entries.length);
  const rows = entries.map((entry) => {
    const item = items.get(entry) ?? createItem(() => select(entry));
    items.set(entry, item);
    renderItem(item, entry, entry === selected);
    return item.row;
  });
  const list = elementOf('entries');
  // An element that is already in its place must not be moved: it would lose the focus.
  if (rows.length !== list.children.length || rows.some((row, i) => row !== list.children[i]))
    list.replaceChildren(...rows);
}

/** @param {Entry} entry @returns {string} the text for screen readers. */
export function describeEntry({ name, state, answer, problem }) {
  if (state === 'failed') return say('announceFailure', { name, sentence: sayProblem(problem?.code ?? '') });
  if (!answer) return `${name}: ${say('asking')}`;
  return say('announceAnswer', { name, category: answer.category, percent: sayPercent(answer.confidence) });
}

/**
 * @param {Item} item
 * @param {Entry} entry
 * @param {boolean} selected
 */
function renderItem({ button, image, category, percent }, entry, selected) {
  const { state, answer, url, name } = entry;
  button.dataset.state = state;
  button.ariaPressed = String(selected);
  button.ariaLabel = describeEntry(entry);
  button.title = name;
  setPicture(image, url, '');
  category.textContent = state === 'failed' ? say('failed') : (answer?.category ?? '…');
  percent.textContent = answer ? sayPercent(answer.confidence) : '';
}

/** @param {() => void} onClick */
function createItem(onClick) {
  const row = createElement('li', 'item');
  const button = createElement('button', 'entry');
  const frame = createElement('span', 'frame');
  const image = createElement('img', 'thumbnail');
  const category = createElement('span', 'name');
  const percent = createElement('span', 'quiet');
  button.type = 'button';
  button.addEventListener('click', onClick);
  frame.append(image);
  button.append(frame, category, percent);
  row.append(button);
  return { row, button, image, category, percent };
}
