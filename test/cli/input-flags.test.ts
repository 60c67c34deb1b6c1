// Flags for a model without a card → its input contract, or an error that names the contradiction.
import { Command } from 'commander';
import t from 'tap';
import { WrongUseError } from '../../src/cli/errors.js';
import { addInputFlags, givenInputFlags, type InputFlags, inputContract } from '../../src/cli/input-flags.js';

function parse(...argv: string[]): InputFlags {
  const command = addInputFlags(new Command().exitOverride().configureOutput({ writeErr: () => undefined }));
  return command.parse(argv, { from: 'user' }).opts<InputFlags>();
}

t.test('without flags, size and channels are the model’s and pixels are scaled to 0…1', (t) => {
  const flags = parse();
  t.strictSame(givenInputFlags(flags), []);
  t.strictSame(inputContract(flags, { width: 32, height: 24, channels: 'rgb' }, 'net.onnx'), {
    width: 32,
    height: 24,
    channels: 'rgb',
    fit: 'cover',
    kernel: 'linear',
    scale: 1 / 255,
    mean: [0, 0, 0],
    std: [1, 1, 1],
  });
  t.end();
});

t.test('every flag is used, as in the usual preprocessing of ImageNet', (t) => {
  const flags = parse(
    ...['--size', '224x192', '--channels', 'rgb', '--scale', '1/255', '--fit', 'fill', '--kernel', 'cubic'],
    ...['--mean', '0.485,0.456,0.406', '--std', '0.229,0.224,0.225'],
  );
  t.equal(givenInputFlags(flags).length, 7);
  t.strictSame(inputContract(flags, {}, 'net.onnx'), {
    width: 224,
    height: 192,
    channels: 'rgb',
    fit: 'fill',
    kernel: 'cubic',
    scale: 1 / 255,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
  });
  t.end();
});

t.test('one mean and std, also negative, apply to all channels, and one size to a square', (t) => {
  const flags = parse('--size', '8', '--channels', 'rgb', '--mean=-1', '--std', '0.5');
  t.match(inputContract(flags, {}, 'net.onnx'), {
    width: 8,
    height: 8,
    mean: [-1, -1, -1],
    std: [0.5, 0.5, 0.5],
  });
  t.end();
});

t.test('flags that contradict the model, or are missing, are wrong use; the error names both', (t) => {
  const gray = { width: 28, height: 28, channels: 'gray' } as const;
  for (const [flags, shape, message] of [
    [parse('--size', '32x28'), gray, 'net.onnx: --size: width: the model takes 28, got 32'],
    [parse('--channels', 'rgb'), gray, 'net.onnx: --channels: the model takes gray, got rgb'],
    [parse('--mean', '1,2,3'), gray, 'net.onnx: --mean: expected 1 values, got 3'],
    [
      parse(),
      { channels: 'gray' as const },
      'net.onnx: the size of its images is dynamic: give --size <width>x<height>',
    ],
    [parse('--size', '8'), {}, 'net.onnx: the channels of its images are dynamic: give --channels gray|rgb'],
  ] as const)
    t.throws(() => inputContract(flags, shape, 'net.onnx'), { constructor: WrongUseError, message });
  t.end();
});

t.test('an invalid value is refused when flags are parsed', (t) => {
  for (const argv of [
    ['--size', '0x3'],
    ['--size', '12x'],
    ['--scale', '0'],
    ['--scale', '1/0'],
    ['--mean', '1,,2'],
    ['--std', '1,0'],
    ['--fit', 'stretch'],
  ])
    t.throws(() => parse(...argv), { code: 'commander.invalidArgument' }, argv.join(' '));
  t.end();
});
