import { createHash } from 'node:crypto';
import { createReadStream, statfsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { Readable } from 'node:stream';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { compileProgram } from '../../support/programs.ts';
import { type Answer, makeContent, makeFetcher, startServer } from './rig.ts';

// As long as DVS128 Gesture. Cut where a number of 32 bits could no longer say from which byte to continue.
const SIZE_BYTES = 3_000_000_000;
const CUT_AT = 2_200_000_000;
const BLOCK = makeContent(1 << 20);

const { bavail, bsize } = statfsSync(os.tmpdir());
const hasRoom = bavail * bsize > SIZE_BYTES * 1.1;
const why = hasRoom ? '' : ` (skipped: less than 3.3 GB are free in ${os.tmpdir()})`;

/** One block again and again, each with its number at its beginning. */
function* makeBytes(from: number, to: number): Generator<Buffer> {
  for (let at = from; at < to; ) {
    const number = Math.floor(at / BLOCK.length);
    const start = number * BLOCK.length;
    const block = Buffer.from(BLOCK);
    block.writeUInt32LE(number);
    yield block.subarray(at - start, to - start);
    at = start + BLOCK.length;
  }
}

async function md5Of(blocks: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('md5');
  for await (const block of blocks) hash.update(block);
  return hash.digest('hex');
}

/** Sends the bytes from the one that is asked for, and closes the connection before `to`. */
const serveUntil =
  (to: number): Answer =>
  ({ headers }, response) => {
    const first = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
    response.strictContentLength = false;
    response.writeHead(first > 0 ? 206 : 200, {
      'content-length': SIZE_BYTES - first,
      ...(first > 0 && { 'content-range': `bytes ${first}-${SIZE_BYTES - 1}/${SIZE_BYTES}` }),
    });
    const body = Readable.from(makeBytes(first, to));
    body.pipe(response, { end: to === SIZE_BYTES });
    if (to < SIZE_BYTES) body.on('end', () => response.socket?.end());
  };

test.skipIf(!hasRoom)(
  `a file of 3 GB is continued after 2.2 GB, is right, and needs little memory${why}`,
  async () => {
    const script = await compileProgram('test/data/fetch/long-fetch.ts');
    const server = await startServer(serveUntil(CUT_AT), serveUntil(SIZE_BYTES));
    const fetcher = await makeFetcher();
    const hex = await md5Of(makeBytes(0, SIZE_BYTES));
    const file = { name: 'file.bin', urls: [server.url()], md5: hex };
    const { stdout } = await execa(process.execPath, [script, fetcher.folder, JSON.stringify(file)]);
    expect(server.ranges).toEqual([undefined, `bytes=${CUT_AT}-`]);
    expect(await fetcher.names()).toEqual(['file.bin']);
    expect(await md5Of(createReadStream(path.join(fetcher.folder, 'file.bin')))).toBe(hex);
    expect(Number(stdout)).toBeLessThan(200e6);
  },
);
