import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fromBufferPromise } from 'yauzl';
import { openTorchFile, type PickleValue, TorchTensor } from '../../src/formats/torch-pt.ts';
import { makeZip, type ZipMember } from './zip-fixture.ts';

/** The bytes of a file in `test/fixtures/torch`. */
export function torchFixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(torchFixturePath(name)));
}

/** The path of a file in `test/fixtures/torch`. */
export function torchFixturePath(name: string): string {
  return fileURLToPath(new URL(`../fixtures/torch/${name}`, import.meta.url));
}

/** Everything in a file, with its tensors loaded, for comparison in tests. */
export async function readWhole(source: string | Uint8Array, file = 'file.pt'): Promise<unknown> {
  const torch = await openTorchFile(source, file);
  const show = async (value: PickleValue): Promise<unknown> => {
    if (value instanceof TorchTensor) {
      const { dtype, shape, data } = await torch.readTensor(value);
      return { dtype, shape, data: [...data] };
    }
    if (value instanceof Map) {
      const entries = await Promise.all([...value].map(async ([key, one]) => [String(key), await show(one)]));
      return Object.fromEntries(entries);
    }
    return Array.isArray(value) ? Promise.all(value.map(show)) : value;
  };
  try {
    return await show(torch.value);
  } finally {
    await torch.close();
  }
}

/** The members of a zip that torch.save wrote. */
async function membersOf(name: string): Promise<ZipMember[]> {
  const zip = await fromBufferPromise(Buffer.from(torchFixture(name)), { lazyEntries: true });
  const members: ZipMember[] = [];
  for await (const entry of zip.eachEntry()) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk);
    members.push({ name: entry.fileName, bytes: Buffer.concat(chunks) });
  }
  return members;
}

/** A fixture with its members changed or left out, packed again (deflated, as torch.save would not). */
export async function repackTorchFixture(
  name: string,
  change: (member: ZipMember) => ZipMember | undefined,
): Promise<Buffer> {
  const members = await membersOf(name);
  return makeZip(members.map(change).filter((member) => member !== undefined));
}
