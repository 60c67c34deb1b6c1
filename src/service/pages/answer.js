// an entry → the panel of its answer: category, bars, pictures, times, curl. The panel always has the same size.
import { copyText, curlLine } from './curl.js';
import { createElement, elementOf, setPicture } from './elements.js';
import { say, sayMilliseconds, sayPercent, sayProblem } from './language.js';
import { top } from './service.js';

/** @typedef {import('./entries.js').Entry} Entry */

const panel = elementOf('answer');
const bars = Array.from({ length: top }, createBar);
elementOf('bars').append(...bars.map(({ row }) => row));
const curl = elementOf('curl', HTMLInputElement);
const copy = elementOf('copy', HTMLButtonElement);

copy.addEventListener('click', async () => {
  await copyText(curl);
  copy.textContent = say('copied');
  setTimeout(() => {
    copy.textContent = say('copy');
  }, 1500);
});

/**
 * @param {Entry | undefined} entry
 * @param {number} labels the number of labels of the model.
 */
export function renderAnswer(entry, labels) {
  panel.dataset.state = entry?.state ?? 'empty';
  renderVerdict(entry);
  renderBars(entry, labels);
  renderPictures(entry);
  renderTimes(entry?.answer?.timings);
  renderFailure(entry);
  renderCurl(entry);
}

/** @param {Entry | undefined} entry */
function renderVerdict(entry) {
  const category = elementOf('category');
  const answer = entry?.answer;
  category.textContent = answer?.category ?? '';
  category.dataset.long = String((answer?.category.length ?? 0) > 4);
  elementOf('sure').textContent = answer ? saySure(answer) : sayWhyNot(entry);
}

/** @param {import('./service.js').Answer} answer */
function saySure({ confidence, model: { name, version, variant } }) {
  return `${say('sure', { percent: sayPercent(confidence) })} · ${name} ${version}, ${variant}`;
}

/** @param {Entry | undefined} entry */
function sayWhyNot(entry) {
  if (!entry) return say('nothingYet');
  return entry.state === 'failed' ? entry.name : say('asking');
}

/** @param {Entry | undefined} entry @param {number} labels */
function renderBars(entry, labels) {
  const predictions = entry?.answer?.predictions ?? [];
  elementOf('bars').ariaHidden = predictions.length === 0 ? 'true' : null;
  bars.forEach(({ row, label, fill, percent }, i) => {
    const prediction = predictions[i];
    row.dataset.empty = String(i >= labels);
    label.textContent = prediction?.category ?? '';
    percent.textContent = prediction ? sayPercent(prediction.confidence) : '';
    fill.style.inlineSize = `${(prediction?.confidence ?? 0) * 100}%`;
  });
}

/** @param {Entry | undefined} entry */
function renderPictures(entry) {
  const name = entry?.name ?? '';
  setPicture(elementOf('sent', HTMLImageElement), entry?.url, name);
  const model = entry?.choice.model ?? '';
  setPicture(elementOf('seen', HTMLImageElement), entry?.seen, say('seenBy', { name, model }));
}

/** @param {import('./service.js').Timings | undefined} timings */
function renderTimes(timings) {
  const total = timings && Object.values(timings).reduce((sum, value) => sum + value, 0);
  elementOf('total').textContent = total === undefined ? '' : sayMilliseconds(total);
  const named = Object.entries(timings ?? { uploadMs: 0, queueMs: 0, decodeMs: 0, inferenceMs: 0 });
  for (const [name, value] of named) {
    const part = elementOf('split').querySelector(`[data-time=${name}]`);
    if (part instanceof HTMLElement) part.style.flexGrow = String(value);
    const text = elementOf('times').querySelector(`[data-time=${name}] dd`);
    if (text) text.textContent = timings ? sayMilliseconds(value) : '–';
  }
}

/** @param {Entry | undefined} entry */
function renderFailure(entry) {
  const problem = entry?.state === 'failed' ? entry.problem : undefined;
  elementOf('failure-text').textContent = problem ? sayProblem(problem.code) : '';
  const id = problem?.code === 'internal' ? say('requestId', { id: problem.requestId }) : '';
  elementOf('failure-detail').textContent = [problem?.detail, id].filter(Boolean).join(' · ');
}

/** @param {Entry | undefined} entry */
function renderCurl(entry) {
  curl.value = entry ? curlLine(entry.name, entry.choice) : '';
  copy.disabled = !entry;
}

function createBar() {
  const row = createElement('li', 'row');
  const label = createElement('span', 'label');
  const track = createElement('span', 'track');
  const fill = createElement('span', 'fill');
  const percent = createElement('span', 'percent');
  track.append(fill);
  row.append(label, track, percent);
  return { row, label, fill, percent };
}
