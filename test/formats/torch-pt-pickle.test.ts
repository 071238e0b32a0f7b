import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReproError } from '../../src/base/errors.ts';
import { unpickle } from '../../src/formats/torch-pt/pickle.ts';
import {
  failIn,
  PickleName,
  PickleRecord,
  type PickleValue,
  TorchStorage,
  type TorchTensor,
} from '../../src/formats/torch-pt/values.ts';
import { bytesOf, type Part, text } from './pickle-bytes.ts';

type Parts = readonly Part[];

/** Unpickles protocol 2 with `parts` between its head and its end. */
function load(...parts: Parts): PickleValue {
  const loadStorage = (id: PickleValue) => new TorchStorage(String(id), 'float32', 4);
  return unpickle(bytesOf(0x80, 2, ...parts, '.'), failIn('x.pkl'), loadStorage);
}

function refusal(...parts: Parts): string {
  try {
    load(...parts);
  } catch (error) {
    if (error instanceof ReproError) return `${error.code} ${error.where} ${error.message}`;
    throw error;
  }
  throw new Error('it was accepted');
}

const global = (module: string, name: string): string => `c${module}\n${name}\n`;

describe('unpickling', () => {
  test.each<[string, Parts, PickleValue]>([
    ['None, True, False', ['(N', 0x88, 0x89, 't'], [null, true, false]],
    ['numbers of 1, 2 and 4 bytes', ['(K', 255, 'M', 1, 1, 'J', 255, 255, 255, 255, 't'], [255, 257, -1]],
    ['long numbers', ['(', 0x8a, 0, 0x8a, 2, 0, 128, 0x8b, 1, 0, 0, 0, 7, 't'], [0, -32768, 7]],
    ['beyond 2^53', [0x8a, 8, 255, 255, 255, 255, 255, 255, 255, 127], 2n ** 63n - 1n],
    ['a float, big-endian', ['G', 0x3f, 0xf8, 0, 0, 0, 0, 0, 0], 1.5],
    [
      'strings of all lengths',
      ['(', 0x8c, 1, 'a', 'X', 1, 0, 0, 0, 'b', 0x8d, 1, 0, 0, 0, 0, 0, 0, 0, 'c', 't'],
      ['a', 'b', 'c'],
    ],
    [
      'bytes of all lengths',
      ['(C', 1, 9, 'B', 1, 0, 0, 0, 8, 0x8e, 1, 0, 0, 0, 0, 0, 0, 0, 7, 't'],
      [9, 8, 7].map((b) => Uint8Array.of(b)),
    ],
    [
      'tuples of 0 to 3',
      ['()NN', 0x86, 'N', 0x85, 'NNN', 0x87, 't'],
      [[], [null, null], [null], [null, null, null]],
    ],
    ['lists grown by one and by many', [']Na(K', 1, 'K', 2, 'e'], [null, 1, 2]],
    [
      'dictionaries by one and by many',
      ['}K', 1, 'Ns(K', 2, 'NK', 3, 'Nu'],
      new Map([
        [1, null],
        [2, null],
        [3, null],
      ]),
    ],
    ['sets', ['(', 0x8f, '(K', 1, 0x90, '(K', 2, 0x91, 't'], [new Set([1]), new Set([2])]],
    [
      'memo by number, long number and order',
      ['(K', 7, 'q', 0, 'h', 0, 'r', 5, 0, 0, 0, 'j', 5, 0, 0, 0, 't'],
      [7, 7, 7],
    ],
    ['values that are dropped and duplicated', ['(N0(K', 1, '1K', 2, '2t'], [2, 2]],
    ['frames, which are ignored', [0x95, 9, 0, 0, 0, 0, 0, 0, 0, 'N'], null],
    ['an ordered dictionary with attributes', [global('collections', 'OrderedDict'), ')R}b'], new Map()],
  ])('reads %s', (_, parts, expected) => {
    expect(load(...parts)).toEqual(expected);
  });

  test('turns an object into a record: class, arguments, attributes', () => {
    const parts = [global('models', 'PLIFNode'), 'K', 1, 0x85, 0x81, '}', text('tau'), 'K', 2, 'sb'];
    const record = load(...parts) as PickleRecord;
    expect(record).toBeInstanceOf(PickleRecord);
    expect(record.className).toBe('models.PLIFNode');
    expect(record.args).toEqual([1]);
    expect(record.state).toEqual(new Map([['tau', 2]]));
  });

  test('keeps a class’s function as a name, and never calls it', () => {
    const member = [
      global('spikingjelly.clock_driven.surrogate', 'ATan'),
      text('spiking_function'),
      0x86,
      'R',
    ] as const;
    expect(load(global('__builtin__', 'getattr'), ...member)).toEqual(
      new PickleName('spikingjelly.clock_driven.surrogate.ATan.<spiking_function>'),
    );
    expect(refusal(global('__builtin__', 'getattr'), ...member, ')R')).toContain('not callable');
  });

  /** As NumPy writes one: its dtype, whose state says the byte order, and its bytes. */
  function scalar(order: string): Parts {
    const minusOne = ['J', 255, 255, 255, 255] as const;
    const dtype = [global('numpy', 'dtype'), text('f8'), 0x89, 0x88, 0x87, 'R'] as const;
    const state = ['(K', 3, text(order), 'NNN', ...minusOne, ...minusOne, 'K', 0, 'tb'] as const;
    const bytes = [global('_codecs', 'encode'), text('\0\0\0\0\0\0\0?'), text('latin1'), 0x86, 'R'] as const;
    return [global('numpy.core.multiarray', 'scalar'), ...dtype, ...state, ...bytes, 0x86, 'R'];
  }

  test('refuses NumPy’s other scalars', () => {
    expect(refusal(...scalar('>'))).toContain(
      'a NumPy scalar is big-endian; only little-endian ones are read',
    );
    expect(refusal(...scalar('?'))).toContain('a NumPy scalar is in an unknown byte order');
  });

  test('reads values that contain themselves', () => {
    const list = load(']q', 0, 'h', 0, 'a') as PickleValue[];
    expect(list[0]).toBe(list);
  });
});

describe('a pickle that names what it must not', () => {
  test.each([
    ['posix', 'system'],
    ['builtins', 'eval'],
    ['torch', 'load'],
    ['torch.nn.functional', 'linear'],
    ['models', 'os.system'],
    ['constructor', 'constructor'],
  ])('is refused naming it: %s.%s', (module, name) => {
    expect(refusal(global(module, name))).toMatch(/^torch-refused x\.pkl: byte 2 the file asks for /);
    expect(refusal(text(module), text(name), 0x93)).toContain('the file asks for ');
  });

  test('is read if it names classes of networks, layers and types', () => {
    for (const name of ['models.networks.Net', 'torch.nn.modules.conv.Conv2d', 'torch.HalfStorage']) {
      const [, module, member] = /^(.*)\.(.*)$/.exec(name) ?? [];
      expect(load(global(module!, member!))).toEqual(new PickleName(name));
    }
  });

  test('is refused if it calls or changes a name', () => {
    expect(refusal(global('torch', 'float32'), ')R')).toContain('not callable');
    expect(refusal('N)R')).toContain('calls something that is not a name');
    expect(refusal(global('models', 'Net'), '}b')).toContain('changes models.Net');
    expect(refusal(global('__builtin__', 'getattr'), text('a'), text('b'), 0x86, 'R')).toContain(
      'builtins.getattr',
    );
  });

  test.each(['P0\n', 'i__main__\nx\n', '(o', 'I1\n', "S'a'\n", 'g0\n'])(
    'is refused for an opcode of an old protocol: %j',
    (opcode) => {
      expect(refusal(opcode)).toMatch(/^torch-refused x\.pkl: byte \d its pickle has the opcode 0x/);
    },
  );
});

describe('a pickle that expands', () => {
  const repeat = (times: number, ...parts: Parts) =>
    Array.from({ length: times }, () => [...bytesOf(...parts)]).flat();
  const list = ['(', repeat(20_000, 'N'), 'lq', 1] as const;
  const numbers = Array.from({ length: 20_000 }, (_, i) => ['M', i % 256, Math.floor(i / 256), 'N']);
  const map = ['}(', numbers.flatMap((parts) => [...bytesOf(...parts)]), 'uq', 1] as const;
  const shape = ['(', repeat(64, 'K', 1), 'tq', 1] as const;
  const tensor = ['h', 0, '(K', 0, 'QK', 0, 'h', 1, 'h', 1, 't'];
  const word = ['X', 32, 78, 0, 0, repeat(20_000, 'a'), 'q', 1] as const;

  test.each<[string, Parts]>([
    ['values', [repeat(4_000_000, 'N')]],
    ['lists', [global('torch', 'Size'), 'q', 0, ...list, repeat(300, 'h', 0, 'h', 1, 0x85, 'R0')]],
    [
      'dictionaries',
      [global('collections', 'OrderedDict'), 'q', 0, ...map, repeat(300, 'h', 0, 'h', 1, 0x85, 'R0')],
    ],
    ['attributes', [global('models', 'Net'), 'q', 0, ...map, repeat(300, 'h', 0, ')Rh', 1, 'b0')]],
    [
      'bytes',
      [
        global('_codecs', 'encode'),
        'q',
        0,
        ...word,
        text('latin1'),
        'q',
        2,
        repeat(300, 'h', 0, 'h', 1, 'h', 2, 0x86, 'R0'),
      ],
    ],
    [
      'tensors',
      [global('torch._utils', '_rebuild_tensor_v2'), 'q', 0, ...shape, repeat(30_000, ...tensor, 'R0')],
    ],
  ])('is refused if it makes too many %s', (_, parts) => {
    expect(refusal(...parts)).toMatch(
      /^torch-refused .* the pickle expands to more values than a checkpoint has\.$/,
    );
  });

  test('is refused if a whole number has thousands of digits', () => {
    const longest = [0x8b, 0, 16, 0, 0, repeat(4096, 1)] as const;
    expect(typeof load(...longest)).toBe('bigint');
    expect(refusal(0x8b, 1, 16, 0, 0, repeat(4097, 1))).toBe(
      'torch-unsupported x.pkl: byte 7 a whole number of 4097 bytes; at most 4096 are allowed.',
    );
  });
});

describe('a pickle with wrong lengths or shapes', () => {
  test('cannot change a tensor’s shape after it was checked', () => {
    const tensor = load(
      global('torch._utils', '_rebuild_tensor_v2'),
      ...['(K', 0, 'QK', 0, ']q', 1, 'K', 2, 'a]q', 2, 'K', 1, 'a', 0x89, 'NtR'],
      ...['(h', 1, 'K', 9, 'ah', 2, 'K', 99, 'a1'],
    ) as TorchTensor;
    expect([tensor.shape, tensor.strides]).toEqual([[2], [1]]);
  });

  test('is refused if a length exceeds the file', () => {
    expect(refusal('X', 255, 255, 0, 0)).toContain('it ends inside its pickle');
    expect(refusal(0x8d, 0, 0, 0, 0, 0, 0, 0, 1)).toContain('it ends inside its pickle');
  });

  test.each<[string, number[], number[]]>([
    ['ends after its storage', [3], [2]],
    ['has a negative size', [-1], [1]],
    ['overflows', [2 ** 31, 2 ** 31], [2 ** 31, 1]],
  ])('is refused if a tensor %s', (_, shape, strides) => {
    const number = (value: number): number[] => [0x4a, ...new Uint8Array(Int32Array.of(value).buffer)];
    const wide = (value: number): number[] => (value > 2 ** 30 ? [0x8a, 5, 0, 0, 0, 128, 0] : number(value));
    const tuple = (values: number[]) => [...bytesOf('('), ...values.flatMap(wide), ...bytesOf('t')];
    const view = ['(K', 0, 'QK', 0, tuple(shape), tuple(strides), 0x89, 'NtR'];
    expect(refusal(global('torch._utils', '_rebuild_tensor_v2'), ...view)).toMatch(
      /torch-broken .* a tensor/,
    );
  });
});

test('any bytes are read or refused without another error', () => {
  // Mostly known opcodes, so that some pickles get far.
  const opcode = fc.constantFrom(
    ...bytesOf('NK}])(tluaesqh0122bRQX', 0x85, 0x86, 0x87, 0x88, 0x8f, 0x90, 0x94, 0x81, 1, 0),
  );
  const name = fc
    .constantFrom(
      global('models', 'Net'),
      global('torch', 'Size'),
      global('collections', 'OrderedDict'),
      global('torch._utils', '_rebuild_tensor_v2'),
    )
    .map((s) => [...bytesOf(s)]);
  const part = fc.oneof(
    { weight: 8, arbitrary: opcode.map((b) => [b]) },
    { weight: 1, arbitrary: name },
    { weight: 1, arbitrary: fc.nat(255).map((b) => [b]) },
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
      try {
        load(parts.flat());
      } catch (error) {
        if (!(error instanceof ReproError)) throw error;
      }
    }),
    { seed: 2020, numRuns: 1500 },
  );
});
