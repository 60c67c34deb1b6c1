// a sandbox that refuses to list the network's interfaces → they count as none, and listening on all of them goes on.
import os from 'node:os';

/**
 * Replaces `os.networkInterfaces` where it throws, as under systemd's RestrictAddressFamilies without AF_NETLINK. Fastify lists the
 * addresses behind 0.0.0.0 only to log them, but inside a listener of the socket: an error there ends the process.
 */
export function allowUnlistedInterfaces(): void {
  try {
    os.networkInterfaces();
  } catch {
    Object.assign(os, { networkInterfaces: () => ({}) });
  }
}
