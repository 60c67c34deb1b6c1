// a request → the address that the rate limit counts.
import { isIP } from 'node:net';
import { normalizeIP } from '@fastify/rate-limit';
import type { FastifyRequest } from 'fastify';

/**
 * Returns the address of the client. A client of IPv6 usually has 2^64 addresses, so those of one /64 network are one. Some proxies
 * write an address with its port into X-Forwarded-For. If they write no address, it is that of the proxy.
 */
export function clientAddress({ ip, socket }: Pick<FastifyRequest, 'ip' | 'socket'>): string {
  const found = [ip, withoutPort(ip), socket.remoteAddress ?? ''].map(withoutZone).find(isIP);
  return found === undefined ? 'unknown' : normalizeIP(found);
}

/** `192.0.2.1:80` → `192.0.2.1`, `[2001:db8::1]:80` → `2001:db8::1`. */
function withoutPort(text: string): string {
  return /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? text.replace(/^([\d.]+):\d+$/, '$1');
}

/** `fe80::1%eth0` → `fe80::1`. */
function withoutZone(text: string): string {
  return text.replace(/%.*$/, '');
}
