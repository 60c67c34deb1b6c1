// The only clock for deadlines.

/**
 * Returns the milliseconds of the system's monotonic clock. All threads of a process read the same time, and a change of the system
 * time does not affect it. `performance.now()` starts at 0 in each thread.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
