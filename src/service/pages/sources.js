// Files that are picked, dropped or pasted anywhere on the page → one call with all of them.

/**
 * @param {{ button: HTMLButtonElement, input: HTMLInputElement }} picker
 * @param {(files: File[]) => void} receive
 */
export function receiveFiles({ button, input }, receive) {
  button.addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    give(input.files, receive);
    // Cleared, so that the same file can be picked again.
    input.value = '';
  });
  document.addEventListener('paste', ({ clipboardData }) => give(clipboardData?.files, receive));
  receiveDrops(receive);
}

/** @param {(files: File[]) => void} receive */
function receiveDrops(receive) {
  const { dataset } = document.body;
  document.addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    dataset.dragging = '';
  });
  document.addEventListener('dragleave', ({ relatedTarget }) => {
    if (!relatedTarget) delete dataset.dragging;
  });
  document.addEventListener('drop', (event) => {
    delete dataset.dragging;
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    give(event.dataTransfer.files, receive);
  });
}

/**
 * @param {FileList | null | undefined} files
 * @param {(files: File[]) => void} receive
 */
function give(files, receive) {
  if (files && files.length > 0) receive([...files]);
}
