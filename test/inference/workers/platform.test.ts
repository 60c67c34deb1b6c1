import t from 'tap';
import { checkPlatform } from '../../../src/inference/workers/platform.js';

t.test('this machine and a 64-bit Raspberry Pi OS are supported', async (t) => {
  t.doesNotThrow(() => checkPlatform());
  t.doesNotThrow(() => checkPlatform({ platform: 'linux', arch: 'arm64', glibc: '2.36' }));
  t.doesNotThrow(() => checkPlatform({ platform: 'darwin', arch: 'arm64', glibc: undefined }));
});

t.test('a 32-bit system is refused, with the system to install', async (t) => {
  for (const arch of ['arm', 'ia32'])
    t.throws(() => checkPlatform({ platform: 'linux', arch, glibc: '2.36' }), {
      name: 'UnsupportedPlatformError',
      message: /32-bit systems .*64-bit Raspberry Pi OS .*docs\/raspberry-pi\.md$/,
    });
});

t.test('a system without glibc, or without a build, is refused', async (t) => {
  t.throws(() => checkPlatform({ platform: 'linux', arch: 'x64', glibc: undefined }), {
    message: /Alpine has musl/,
  });
  t.throws(() => checkPlatform({ platform: 'freebsd', arch: 'x64', glibc: undefined }), {
    message: /no build for freebsd on x64; it has one for linux x64, linux arm64, darwin arm64/,
  });
});
