import { describe, expect, test } from 'vitest';
import { ReproError } from '../../src/errors.ts';
import { readWhole } from '../support/torch-file.ts';
import { makeZip } from '../support/zip-fixture.ts';

type Part = string | number | Uint8Array;

/** A string stands for its characters, a number for a byte. */
function bytesOf(...parts: readonly Part[]): Uint8Array {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'string') return Buffer.from(part, 'latin1');
      return typeof part === 'number' ? Uint8Array.of(part) : part;
    }),
  );
}

const pickle = (...parts: readonly Part[]): Uint8Array => bytesOf(0x80, 2, ...parts, '.');
const text = (value: string): Uint8Array => bytesOf('X', value.length, 0, 0, 0, value);

/** A persistent id: `('storage', torch.<type>, key, 'cpu', length, …view)`. */
function storage(type: string, key: string, length: number, ...view: readonly Part[]): Uint8Array {
  const head = bytesOf(text('storage'), `ctorch\n${type}\n`, text(key), text('cpu'), 'K', length);
  return bytesOf('(', head, ...view, 'tQ');
}

/** What torch.save writes since PyTorch 1.6, with a storage `0` of three floats. */
function zipFile(...parts: readonly Part[]): Buffer {
  return makeZip([
    { name: 'x/data.pkl', bytes: pickle(...parts) },
    { name: 'x/data/0', bytes: new Uint8Array(12) },
  ]);
}

async function refusal(bytes: Uint8Array): Promise<string> {
  try {
    await readWhole(bytes);
  } catch (error) {
    if (error instanceof ReproError) return `${error.code} ${error.message}`;
    throw error;
  }
  throw new Error('it was accepted');
}

test('the files that these tests alter are accepted', async () => {
  await readWhole(zipFile(storage('FloatStorage', '0', 3)));
});

describe('a storage', () => {
  test('is refused if it is described in two ways', async () => {
    const two = ['(', storage('FloatStorage', '0', 3), storage('IntStorage', '0', 3), 't'];
    expect(await refusal(zipFile(...two))).toBe(
      'torch-broken storage 0 is described as float32 [3] and as int32 [3].',
    );
  });

  test('is refused if it is of an unknown type, or without a valid name or length', async () => {
    expect(await refusal(zipFile(storage('float32', '0', 3)))).toContain(
      'torch-unsupported expected a storage',
    );
    expect(await refusal(zipFile(storage('FloatStorage', '../0', 3)))).toContain('no valid name or length');
    const none = bytesOf('(', text('storage'), 'ctorch\nFloatStorage\n', text('0'), text('cpu'), 'NtQ');
    expect(await refusal(zipFile(none))).toContain('no valid name or length');
  });

  test('is the only thing a pickle may refer to', async () => {
    for (const id of [bytesOf(text('0'), 'Q'), bytesOf('NQ'), bytesOf('(', text('other'), 'tQ')]) {
      expect(await refusal(zipFile(id))).toBe('torch-refused it refers to something other than a storage.');
    }
  });
});

describe('a zip', () => {
  /** Changes a field of every member's entry in the central directory. */
  function changed(offset: number, value: number, zip = zipFile(storage('FloatStorage', '0', 3))): Buffer {
    for (let at = zip.indexOf('PK\x01\x02'); at >= 0; at = zip.indexOf('PK\x01\x02', at + 1)) {
      zip.writeUInt16LE(value, at + offset);
    }
    return zip;
  }

  test('is refused if a member is encrypted', async () => {
    expect(await refusal(changed(8, 1))).toBe('torch-unsupported it is encrypted.');
  });

  test('is refused if a member is compressed in an unusual way', async () => {
    expect(await refusal(changed(10, 12))).toBe(
      'torch-unsupported it is compressed with method 12; only stored (0) and deflated (8) are read.',
    );
  });

  test('is refused with its names’ control characters escaped', async () => {
    const utf8 = (...names: readonly string[]): Buffer =>
      changed(8, 0x800, makeZip(names.map((name) => ({ name, bytes: new Uint8Array() }))));
    expect(await refusal(utf8('a/b', '\u001b[2J\u009b'))).toContain('"\\u001b[2J\\u009b" outside');
    expect(await refusal(utf8('../\u001b[2J'))).toContain('invalid relative path: ../\\u001b[2J');
  });
});
