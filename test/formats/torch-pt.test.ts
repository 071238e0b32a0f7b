import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReproError } from '../../src/base/errors.ts';
import { openTorchFile, PickleName, PickleRecord, type TorchTensor } from '../../src/formats/torch-pt.ts';
import { readWhole, repackTorchFixture, torchFixture, torchFixturePath } from '../support/torch-file.ts';
import { makeZip, type ZipMember } from '../support/zip-fixture.ts';
import { bytesOf, type Part, text } from './pickle-bytes.ts';

/** What `make_files.py` put into small.pt. */
const small = {
  state_dict: {
    weight: { dtype: 'float32', shape: [3], data: [1, -2, 0.5] },
    count: { dtype: 'int64', shape: [], data: [3n] },
  },
};

const repack = (change: (member: ZipMember) => ZipMember | undefined) =>
  repackTorchFixture('small.pt', change);

async function refusal(
  source: string | Uint8Array,
): Promise<Pick<ReproError, 'code' | 'message' | 'where' | 'fix'>> {
  try {
    await readWhole(source);
  } catch (error) {
    if (!(error instanceof ReproError)) throw error;
    const { code, message, where, fix } = error;
    return { code, message, where, fix };
  }
  throw new Error('it was accepted');
}

describe('a file written by torch.save', () => {
  test('is read from its bytes and from its path', async () => {
    expect(await readWhole(torchFixture('small.pt'))).toEqual(small);
    expect(await readWhole(torchFixturePath('small.pt'))).toEqual(small);
  });

  test.each(['kinds.pt', 'kinds-protocol-4.pt'])(
    'gives tensors of every type and stride: %s',
    async (name) => {
      const torch = await openTorchFile(torchFixture(name));
      const values = torch.value as Map<string, TorchTensor>;
      const read = async (key: string) => {
        const { dtype, shape, data } = await torch.readTensor(values.get(key)!);
        return [dtype, shape, [...data]];
      };
      for (const type of ['float64', 'float32', 'float16', 'bfloat16', 'int32', 'int16', 'int8', 'uint8']) {
        expect(await read(`torch.${type}`)).toEqual([type, [3], [0, 1, 100]]);
      }
      expect(await read('torch.int64')).toEqual(['int64', [3], [0n, 1n, 100n]]);
      expect(await read('bool')).toEqual(['bool', [3], [1, 0, 1]]);
      // 2^-24, the smallest half-precision number, is closest to 6e-8.
      expect(await read('halves')).toEqual(['float16', [5], [1.5, -0.25, 65504, 2 ** -24, Infinity]]);
      expect(await read('brains')).toEqual(['bfloat16', [3], [1.5, -0.25, 1.0002555517425873e30]]);
      expect(await read('large')).toEqual(['int64', [2], [2n ** 62n, -1n]]);
      expect(await read('scalar')).toEqual(['float32', [], [3.5]]);
      expect(await read('empty')).toEqual(['float32', [0, 3], []]);
      expect(await read('column')).toEqual(['float32', [4], [2, 8, 14, 20]]);
      expect(await read('window')).toEqual(['float32', [2, 3], [8, 9, 10, 14, 15, 16]]);
      expect((await read('transposed'))[2]).toEqual(
        Array.from({ length: 24 }, (_, i) => (i % 4) * 6 + Math.floor(i / 4)),
      );
      expect(await read('parameter')).toEqual(['float32', [2], [1, 2]]);
      expect(values.get('column')!.storage).toBe(values.get('base')!.storage);
      await expect(torch.readTensor(values.get('expanded')!)).rejects.toMatchObject({
        message: 'a tensor [3] repeats the 1 elements of its storage.',
        fix: expect.stringContaining('`tensor.contiguous()`'),
      });
    },
  );

  test.each(['kinds.pt', 'kinds-protocol-4.pt'])(
    'gives everything else as plain values: %s',
    async (name) => {
      const { value } = await openTorchFile(torchFixture(name));
      const values = value as Map<string, unknown>;
      expect(values.get('size')).toEqual([2, 3]);
      expect(values.get('device')).toEqual(new PickleRecord('torch.device', ['cpu']));
      expect(values.get('dtype')).toEqual(new PickleName('torch.float32'));
      expect(values.get('numbers')).toEqual([
        0,
        255,
        65535,
        -1,
        2 ** 31,
        2 ** 40,
        -(2n ** 70n),
        0.1,
        true,
        false,
        null,
      ]);
      expect(values.get('text')).toBe('τ = 2');
      expect(values.get('bytes')).toEqual(Uint8Array.of(0, 255));
      expect(values.get('set')).toEqual(new Set(['one']));
      expect(values.get('ordered')).toEqual(
        new Map<string, unknown>([
          ['a', 1],
          ['b', [2, [3, 4, 5, 6]]],
        ]),
      );
      expect(values.get('default')).toEqual(new Map([['k', new Map([['step', 1]])]]));
    },
  );

  test('keeps objects as inert records with their class and attributes', async () => {
    const { value } = await openTorchFile(torchFixture('baseline.pt'));
    const net = (value as Map<string, PickleRecord>).get('net')!;
    expect(net).toBeInstanceOf(PickleRecord);
    expect(net.className).toBe('models.DVS128GestureNet');
    expect(net.state.get('T')).toBe(6);
  });
});

describe('a file that asks for more than plain values', () => {
  test('is refused naming what it asks for', async () => {
    expect(await refusal(torchFixture('hostile.pt'))).toMatchObject({
      code: 'torch-refused',
      message: 'the file asks for posix.system, which no checkpoint of these networks needs.',
      where: 'file.pt: data.pkl: byte 15',
    });
    expect(await refusal(torchFixture('hostile-getattr.pt'))).toMatchObject({
      code: 'torch-refused',
      message: expect.stringContaining('builtins.getattr'),
    });
  });

  test('is refused if its numbers are big-endian', async () => {
    expect(await refusal(torchFixture('big-endian.pt'))).toMatchObject({
      code: 'torch-unsupported',
      message: 'its numbers are big-endian; only little-endian ones are read.',
    });
  });
});

describe('a file that torch.save did not write', () => {
  test.each([
    ['', 'it is empty'],
    ['<!DOCTYPE html><html>', 'it is a web page'],
    ['version https://git-lfs.github.com/spec/v1\noid', 'a Git LFS pointer'],
    ['whatever it is', 'expected a file written by torch.save: a zip'],
    [
      '\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.',
      'a stream of pickles, as PyTorch wrote before version 1.6',
    ],
    ['PK'.padEnd(40), 'it is not a valid zip: '],
    [`${'x'.repeat(257)}ustar`, 'it is a tar'],
  ])('is recognised: %j', async (text, expected) => {
    expect((await refusal(Buffer.from(text, 'latin1'))).message).toContain(expected);
  });

  test('is told apart from one that does not exist', async () => {
    await expect(openTorchFile('/nowhere/at/all.pt')).rejects.toMatchObject({ code: 'torch-missing' });
    await expect(openTorchFile('/')).rejects.toThrow('found a folder');
    await expect(openTorchFile('/dev/null')).rejects.toThrow('found a pipe, a socket or a device');
  });

  test('is refused if it is another zip', async () => {
    expect((await refusal(makeZip([{ name: 'a/b', bytes: Buffer.from('c') }]))).message).toContain(
      'a zip without a data.pkl',
    );
    expect((await refusal(makeZip([{ name: 'b', bytes: Buffer.from('c') }]))).message).toContain(
      'outside its single folder',
    );
    const script = await refusal(
      await repack((m) => ({ ...m, name: m.name.replace('version', 'constants.pkl') })),
    );
    expect(script.message).toContain('TorchScript');
  });
});

describe('a damaged file', () => {
  test('is refused wherever it is truncated', async () => {
    const bytes = torchFixture('small.pt');
    for (let length = 0; length < bytes.length; length++) {
      expect((await refusal(bytes.subarray(0, length))).code).toBe('torch-broken');
    }
  });

  test('is refused or, if nothing depends on the changed byte, read correctly: any byte of the zip', async () => {
    const bytes = torchFixture('small.pt');
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = bytes.slice();
        changed[at]! ^= change;
        await expect(readOrRefuse(changed)).resolves.toEqual(small);
      }),
      { seed: 2020, numRuns: 500 },
    );
  });

  test('is refused if a storage is missing, altered, or of another size', async () => {
    const missing = await repack((m) => (m.name.endsWith('data/1') ? undefined : m));
    expect((await refusal(missing)).message).toBe('it has no data/1, which a tensor needs.');
    const short = await repack((m) => (m.name.endsWith('data/0') ? { ...m, bytes: m.bytes.subarray(4) } : m));
    expect((await refusal(short)).message).toBe('data/0 has 8 bytes, but 3 elements of float32 take 12.');
    const altered = torchFixture('small.pt');
    const at = Buffer.from(altered).indexOf(Buffer.from(Float32Array.of(1, -2, 0.5).buffer));
    altered[at]! ^= 1;
    expect(await refusal(altered)).toMatchObject({
      code: 'torch-broken',
      message: 'its bytes do not match the checksum in the zip.',
      where: 'file.pt: data/0',
    });
  });

  test('is refused if a small zip claims to unpack to a large storage', async () => {
    // 100 million float32 for `weight`, in the pickle and in the sizes of its member.
    const elements = 100_000_000;
    const weight = await repack((member) => {
      if (!member.name.endsWith('data.pkl')) return member;
      const bytes = Buffer.from(member.bytes);
      // BININT1 3 (the length of storage 0), TUPLE -> BININT in its place
      const at = bytes.indexOf(Buffer.from('K\x03t', 'latin1'));
      const number = Buffer.from([0x4a, ...new Uint8Array(Int32Array.of(elements).buffer)]);
      return { ...member, bytes: Buffer.concat([bytes.subarray(0, at), number, bytes.subarray(at + 2)]) };
    });
    const directory = weight.lastIndexOf('small/data/0');
    weight.writeUInt32LE(4 * elements, directory - 22); // its uncompressed size
    expect(await refusal(weight)).toMatchObject({
      code: 'torch-refused',
      message: 'it expands to far more than its own size.',
    });
  });
});

/** The content, or `small` if the file was refused. Any other error is a crash. */
async function readOrRefuse(bytes: Uint8Array): Promise<unknown> {
  try {
    return await readWhole(bytes);
  } catch (error) {
    if (error instanceof ReproError && error.code.startsWith('torch-')) return small;
    throw error;
  }
}

/** A persistent id: `('storage', torch.<type>, key, 'cpu', length, …view)`. */
function storage(type: string, key: string, length: number, ...view: readonly Part[]): Uint8Array {
  const head = bytesOf(text('storage'), `ctorch\n${type}\n`, text(key), text('cpu'), 'K', length);
  return bytesOf('(', head, ...view, 'tQ');
}

/** What torch.save writes since PyTorch 1.6, with a storage `0` of three floats. */
function zipFile(...parts: readonly Part[]): Buffer {
  return makeZip([
    { name: 'x/data.pkl', bytes: bytesOf(0x80, 2, ...parts, '.') },
    { name: 'x/data/0', bytes: new Uint8Array(12) },
  ]);
}

/** The code and message of a refusal. */
async function saying(bytes: Uint8Array): Promise<string> {
  const { code, message } = await refusal(bytes);
  return `${code} ${message}`;
}

describe('a storage', () => {
  test('is refused if it is described in two ways', async () => {
    const two = ['(', storage('FloatStorage', '0', 3), storage('IntStorage', '0', 3), 't'];
    expect(await saying(zipFile(...two))).toBe(
      'torch-broken storage 0 is described as float32 [3] and as int32 [3].',
    );
  });

  test('is the only thing a pickle may refer to', async () => {
    for (const id of [bytesOf(text('0'), 'Q'), bytesOf('NQ'), bytesOf('(', text('other'), 'tQ')]) {
      expect(await saying(zipFile(id))).toBe('torch-refused it refers to something other than a storage.');
    }
  });
});
