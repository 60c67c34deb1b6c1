// the target of a request line → its path, for the router and for refusals.

/** `http://host/models` → `/models`: a server must take the absolute form (RFC 9112, 3.2.2). Anything else stays as it is. */
export function toOriginForm(target: string): string {
  const rest = /^https?:\/\/[^/?#]*(.*)$/i.exec(target)?.[1];
  if (rest === undefined) return target;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Returns the target without its query. */
export function pathOf(target: string): string {
  return target.split('?', 1)[0] ?? '';
}

/** Returns the path with its escapes decoded, as the router sees it; as it is if an escape is broken. */
export function decodedPathOf(target: string): string {
  const path = pathOf(target);
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Whether a segment is `.` or `..`, as it is or escaped. URL parsers resolve such segments, and some take \ as /. */
export function hasDotSegment(target: string): boolean {
  return decodedPathOf(target)
    .split(/[/\\]/)
    .some((segment) => segment === '.' || segment === '..');
}
