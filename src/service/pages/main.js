// Start here: connects the parts of the page. Pictures arrive (sources, pad), are classified (entries, service), and are shown (answer, strip).
import { renderAnswer } from './answer.js';
import { elementOf } from './elements.js';
import { createEntries } from './entries.js';
import { say, sayProblem, startLanguage, switchLanguage } from './language.js';
import { createPad } from './pad.js';
import { addPadKeys } from './pad-keys.js';
import { createPickers } from './pickers.js';
import { listModels, ServiceError, useApiKey } from './service.js';
import { receiveFiles } from './sources.js';
import { describeEntry, renderStrip } from './strip.js';
import { createTheme } from './theme.js';

/** @typedef {import('./entries.js').Entry} Entry */

/** Long enough to begin the next stroke of the same digit. */
const pauseMs = 200;

startLanguage();

/** @type {Entry | undefined} */
let selected;
/** @type {Entry | undefined} */
let drawing;
let drawings = 0;
/** @type {ServiceError | undefined} */
let fault;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let pause;

const stage = elementOf('stage');
const canvas = elementOf('canvas', HTMLCanvasElement);
const undo = elementOf('undo', HTMLButtonElement);
const clear = elementOf('clear', HTMLButtonElement);
const save = elementOf('save', HTMLButtonElement);

const pickers = createPickers(
  { model: elementOf('model', HTMLSelectElement), variant: elementOf('variant', HTMLSelectElement) },
  () => {
    renderStage();
    render();
    if (selected) void askAll([selected]);
  },
);
const entries = createEntries({ choose: pickers.choice, onChange: render });
const pad = createPad(canvas, { onChange: renderTools, onStroke: askLater });
const theme = createTheme(elementOf('theme', HTMLButtonElement), pad.render);

addPadKeys(elementOf('pad'), pad, {
  onStroke: askLater,
  onPen: (down) => announce(say(down ? 'penDown' : 'penUp')),
  onClear: clearPad,
});
receiveFiles(
  { button: elementOf('pick', HTMLButtonElement), input: elementOf('files', HTMLInputElement) },
  (files) => {
    const added = entries.add(files.map((file) => ({ name: file.name, picture: file, drawn: false })));
    select(added[0]);
    elementOf('answer').scrollIntoView({ block: 'nearest' });
    void askAll(added);
  },
);
undo.addEventListener('click', () => {
  pad.undo();
  if (pad.isEmpty()) clearPad();
  else askLater();
});
clear.addEventListener('click', clearPad);
save.addEventListener('click', saveDrawing);
elementOf('retry').addEventListener('click', () => void loadModels());
elementOf('key-form').addEventListener('submit', (event) => {
  event.preventDefault();
  useApiKey(elementOf('key', HTMLInputElement).value);
  void loadModels();
});
elementOf('forget').addEventListener('click', () => {
  entries.clear();
  clearPad();
});
elementOf('language').addEventListener('click', () => {
  switchLanguage();
  pickers.render();
  theme.render();
  renderStage();
  render();
});

theme.render();
renderTools();
render();
void loadModels();

async function loadModels() {
  stage.dataset.mode = 'waiting';
  try {
    pickers.show(await listModels());
    fault = undefined;
  } catch (error) {
    fault = error instanceof ServiceError ? error : new ServiceError('unknown');
  }
  renderStage();
  render();
}

function renderStage() {
  const model = pickers.chosen();
  const sentence = fault ? sayProblem(fault.code) : say('noModels');
  const broken = fault !== undefined || !model;
  stage.dataset.mode = broken ? 'fault' : takesDrawings(model) ? 'draw' : 'drop';
  elementOf('fault-text').textContent = broken ? sentence : '';
  const locked = fault?.code === 'unauthorised';
  elementOf('key-form').hidden = !locked;
  elementOf('retry').hidden = locked;
  pad.render();
}

function renderTools() {
  for (const button of [undo, clear, save]) button.disabled = pad.isEmpty();
  elementOf('pad-hint').hidden = !pad.isEmpty();
}

function render() {
  renderAnswer(selected, pickers.chosen()?.labels.length ?? Number.POSITIVE_INFINITY);
  renderStrip(entries.all(), selected, select);
  if (selected?.state === 'answered') void entries.see(selected);
}

/** @param {Entry | undefined} entry */
function select(entry) {
  selected = entry;
  render();
}

function askLater() {
  clearTimeout(pause);
  pause = setTimeout(() => void askDrawing(), pauseMs);
}

async function askDrawing() {
  if (pad.isEmpty()) return;
  const picture = pad.toPicture();
  if (drawing && entries.all().includes(drawing)) entries.replace(drawing, picture);
  else [drawing] = entries.add([{ name: `${say('drawing')}-${++drawings}.png`, picture, drawn: true }]);
  if (!drawing) return;
  select(drawing);
  await askAll([drawing]);
}

function saveDrawing() {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(pad.toPicture());
  link.download = drawing?.name ?? `${say('drawing')}.png`;
  link.click();
  URL.revokeObjectURL(link.href);
}

function clearPad() {
  clearTimeout(pause);
  pad.clear();
  drawing = undefined;
  select(undefined);
}

/** Announces the results to screen readers: a single one with its category, several with their number. @param {Entry[]} asked */
async function askAll(asked) {
  await Promise.all(asked.map(entries.ask));
  const [first] = asked;
  if (first && asked.length === 1) return announce(describeEntry(first));
  const failed = asked.filter(({ state }) => state === 'failed').length;
  announce(say('announceMany', { answered: asked.length - failed, failed }));
}

/** @param {string} sentence */
function announce(sentence) {
  elementOf('announcement').textContent = sentence;
}

/** Whether a model adapts a drawing to its own size and polarity. @param {import('./service.js').Model} model */
function takesDrawings({ card }) {
  return card !== undefined && card.input.channels === 'gray' && card.input.polarity === 'auto';
}
