// Keys on the drawing pad → strokes: arrows move the pen, the space bar lowers and lifts it, Delete clears.

/** The step of the pen, as a fraction of the side of the pad. */
const step = 1 / 28;

/** @type {Record<string, [number, number]>} */
const directions = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * @param {HTMLElement} element has the focus.
 * @param {import('./pad.js').Pad} pad
 * @param {{ onStroke: () => void, onPen: (down: boolean) => void, onClear: () => void }} listeners
 */
export function addPadKeys(element, pad, { onStroke, onPen, onClear }) {
  let cursor = { x: 0.5, y: 0.25 };
  let down = false;

  /** @param {[number, number]} direction */
  function move([across, along]) {
    cursor = { x: clamp(cursor.x + across * step), y: clamp(cursor.y + along * step) };
    if (down) pad.extend([cursor]);
    pad.showCursor(cursor);
  }

  function lower() {
    down = true;
    pad.begin(cursor);
    onPen(down);
  }

  function lift() {
    if (!down) return;
    down = false;
    onPen(down);
    onStroke();
  }

  element.tabIndex = 0;
  element.addEventListener('keydown', (event) => {
    const direction = directions[event.key];
    if (direction) move(direction);
    else if (event.key === ' ') down ? lift() : lower();
    else if (event.key === 'Escape') lift();
    else if (event.key === 'Delete' || event.key === 'Backspace') {
      down = false;
      onClear();
    } else return;
    event.preventDefault();
  });
  element.addEventListener('focus', () => {
    if (element.matches(':focus-visible')) pad.showCursor(cursor);
  });
  element.addEventListener('blur', () => {
    lift();
    pad.showCursor();
  });
}

/** @param {number} value */
function clamp(value) {
  return Math.min(1, Math.max(0, value));
}
