// The one clock of deadlines.

/**
 * Milliseconds of the system's monotonic clock. All threads of a process read the same time, and setting the system's clock does not
 * move it; `performance.now()` starts anew in each thread.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
