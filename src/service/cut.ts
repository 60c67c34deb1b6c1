// a client's text → at most so many characters of it, for errors and the log.

/** Returns the text, or its first `most` characters and an ellipsis. */
export function cut(text: string, most = 80): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
