// A processor of a Raspberry Pi → /proc/cpuinfo of four of its cores, from which ONNX Runtime chooses its kernels.

/** The part numbers and features that Linux shows on a Raspberry Pi 3B+ or Zero 2 W, a 4, and a 5. */
const cores: Record<string, { part: string; features: string }> = {
  'cortex-a53': { part: '0xd03', features: 'fp asimd evtstrm crc32 cpuid' },
  'cortex-a72': { part: '0xd08', features: 'fp asimd evtstrm crc32 cpuid' },
  'cortex-a76': {
    part: '0xd0b',
    features:
      'fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp',
  },
};

/** @throws RangeError with the known processors. */
export function cpuinfo(cpu: string): string {
  const known = cores[cpu];
  if (!known) throw new RangeError(`cpu: expected one of ${Object.keys(cores).join(', ')}, got ${cpu}`);
  const core = (i: number) => `processor\t: ${i}
BogoMIPS\t: 108.00
Features\t: ${known.features}
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: ${known.part}
CPU revision\t: 3
`;
  return `${[0, 1, 2, 3].map(core).join('\n')}\n`;
}
