// strokes of a pointer or the keyboard → a drawing on the page, and a PNG of dark ink on white paper.

/** @typedef {{ x: number, y: number }} Point in fractions of the side of the pad. */

/** The width of a stroke, as a fraction of the side. It makes digits as bold as those of MNIST. */
const penWidth = 0.07;
const pictureSide = 280;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{ onChange: () => void, onStroke: () => void }} listeners for every change, and for every finished stroke.
 */
export function createPad(canvas, { onChange, onStroke }) {
  /** @type {Point[][]} */
  const strokes = [];
  /** @type {Point | undefined} */
  let cursor;
  /** @type {number | undefined} */
  let pointer;

  function render() {
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const context = checkContext(canvas.getContext('2d'));
    context.clearRect(0, 0, side, side);
    drawStrokes(context, strokes, side, getComputedStyle(canvas).color);
    if (cursor) drawCursor(context, cursor, side);
  }

  function change() {
    render();
    onChange();
  }

  /** @param {Point} point */
  function begin(point) {
    strokes.push([point]);
    change();
  }

  /** @param {Point[]} points */
  function extend(points) {
    strokes.at(-1)?.push(...points);
    render();
  }

  /** @param {MouseEvent} event @returns {Point} */
  function pointOf({ clientX, clientY }) {
    const { left, top, width } = canvas.getBoundingClientRect();
    return { x: (clientX - left) / width, y: (clientY - top) / width };
  }

  canvas.addEventListener('pointerdown', (event) => {
    // Only one pointer draws at a time, so the palm of the hand draws nothing.
    if (event.button !== 0 || pointer !== undefined) return;
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    begin(pointOf(event));
  });
  canvas.addEventListener('pointermove', (event) => {
    if (event.pointerId !== pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    extend((events.length > 0 ? events : [event]).map(pointOf));
  });
  canvas.addEventListener('lostpointercapture', (event) => {
    if (event.pointerId !== pointer) return;
    pointer = undefined;
    onStroke();
  });
  new ResizeObserver(render).observe(canvas);

  return {
    render,
    begin,
    extend,
    isEmpty: () => strokes.length === 0,
    undo() {
      strokes.pop();
      change();
    },
    clear() {
      strokes.length = 0;
      change();
    },
    /** @param {Point} [point] the position of the keyboard's pen, if it is visible. */
    showCursor(point) {
      cursor = point;
      render();
    },
    toPicture: () => strokesToPicture(strokes),
  };
}

/** @typedef {ReturnType<typeof createPad>} Pad */

/**
 * Encodes at once: `toBlob`, and `convertToBlob` of a canvas that is not in the document, wait for an idle moment, up to a second.
 *
 * @param {Point[][]} strokes
 * @returns {Blob}
 */
function strokesToPicture(strokes) {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = pictureSide;
  const context = checkContext(canvas.getContext('2d'));
  context.fillStyle = 'white';
  context.fillRect(0, 0, pictureSide, pictureSide);
  drawStrokes(context, strokes, pictureSide, 'black');
  const [, base64 = ''] = canvas.toDataURL('image/png').split(',');
  return new Blob([Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0))], { type: 'image/png' });
}

/**
 * Draws curves that end halfway between points, so that a quick stroke has no corners.
 * @param {CanvasRenderingContext2D} context
 * @param {Point[][]} strokes
 * @param {number} side
 * @param {string} ink
 */
function drawStrokes(context, strokes, side, ink) {
  Object.assign(context, {
    lineCap: 'round',
    lineJoin: 'round',
    lineWidth: penWidth * side,
    strokeStyle: ink,
  });
  for (const [first, ...others] of strokes) {
    if (!first) continue;
    let from = first;
    context.beginPath();
    context.moveTo(first.x * side, first.y * side);
    for (const point of others) {
      context.quadraticCurveTo(
        from.x * side,
        from.y * side,
        ((from.x + point.x) / 2) * side,
        ((from.y + point.y) / 2) * side,
      );
      from = point;
    }
    context.lineTo(from.x * side, from.y * side);
    context.stroke();
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Point} cursor
 * @param {number} side
 */
function drawCursor(context, { x, y }, side) {
  Object.assign(context, {
    lineWidth: Math.max(1, side / 150),
    strokeStyle: getComputedStyle(context.canvas).outlineColor,
  });
  context.beginPath();
  context.arc(x * side, y * side, (penWidth * side) / 2, 0, 2 * Math.PI);
  context.stroke();
}

/**
 * @template Context
 * @param {Context | null} context
 * @returns {Context}
 */
function checkContext(context) {
  if (!context) throw new Error('This browser draws nothing on a canvas');
  return context;
}
