// A platform → an error with the remedy if ONNX Runtime has no build for it.
import { QuatiError } from '../errors.js';

/** ONNX Runtime has no build for this system. */
class UnsupportedPlatformError extends QuatiError {}

export interface Platform {
  platform: string;
  arch: string;
  /** The version of glibc; undefined on Linux with another C library, and on other systems. */
  glibc: string | undefined;
}

const builds = ['linux x64', 'linux arm64', 'darwin arm64', 'win32 x64', 'win32 arm64'];

/** @throws UnsupportedPlatformError with the platform and the remedy. */
export function checkPlatform({ platform, arch, glibc }: Platform = thisPlatform()): void {
  if (platform === 'linux' && (arch === 'arm' || arch === 'ia32'))
    throw new UnsupportedPlatformError(
      `This Node is built for 32-bit systems (${arch}), for which ONNX Runtime has no build. ` +
        'A Raspberry Pi 3, 4, 5 or Zero 2 W runs Quati with the 64-bit Raspberry Pi OS and Node for arm64; see docs/raspberry-pi.md',
    );
  if (!builds.includes(`${platform} ${arch}`))
    throw new UnsupportedPlatformError(
      `ONNX Runtime has no build for ${platform} on ${arch}; it has one for ${builds.join(', ')}`,
    );
  if (platform === 'linux' && glibc === undefined)
    throw new UnsupportedPlatformError(
      'This system has no glibc (Alpine has musl), which ONNX Runtime needs: use a system such as Debian, or docker/Dockerfile',
    );
}

function thisPlatform(): Platform {
  const { platform, arch } = process;
  return { platform, arch, glibc: platform === 'linux' ? glibcVersion() : undefined };
}

/** Makes the report without network data, which takes seconds if names do not resolve. https://nodejs.org/api/report.html */
function glibcVersion(): string | undefined {
  Object.assign(process.report, { excludeNetwork: true });
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime;
}
