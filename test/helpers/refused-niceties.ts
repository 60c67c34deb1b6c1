// preloaded with `node --import`: the system refuses what a sandbox like docker/systemd/quati.service refuses, in every thread.
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

function refuse(): never {
  throw Object.assign(new Error('operation not permitted'), { code: 'ERR_SYSTEM_ERROR', errno: 1 });
}

Object.assign(os, { networkInterfaces: refuse, setPriority: refuse });
syncBuiltinESMExports();
