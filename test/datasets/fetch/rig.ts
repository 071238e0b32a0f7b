import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { onTestFinished } from 'vitest';
import type { PublishedFile } from '../../../src/datasets/contract/dataset.ts';
import { type FetchOptions, fetchFiles } from '../../../src/datasets/fetch/fetch-files.ts';
import type { FetchOutcome } from '../../../src/datasets/fetch/remote-file.ts';

// The tests talk to this machine only, whatever proxy it needs for others.
for (const name of ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY']) {
  delete process.env[name];
}

/** Bytes that differ at every position within any 64 kB. */
export function makeContent(size: number, seed = 1): Buffer {
  const content = Buffer.alloc(size);
  let state = seed;
  for (let i = 0; i < size; i += 1) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    content[i] = state >>> 16;
  }
  return content;
}

export function remoteFile(
  content: Uint8Array,
  urls: readonly string[],
  options: {
    readonly name?: string;
    readonly sizeBytes?: number | null;
    readonly kind?: 'md5' | 'sha256';
  } = {},
): PublishedFile {
  const { name = 'file.bin', sizeBytes = content.length, kind = 'md5' } = options;
  return { name, urls, sizeBytes, checksum: { kind, hex: createHash(kind).update(content).digest('hex') } };
}

/** A folder that is removed after the test. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'fetch-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Downloads one file without ever waiting between tries, and records the waits. */
export class Fetcher {
  readonly folder: string;
  readonly waits: number[] = [];
  readonly notes: string[] = [];

  constructor(folder: string) {
    this.folder = folder;
  }

  async fetch(file: PublishedFile, options: FetchOptions = {}): Promise<FetchOutcome | undefined> {
    const outcomes = await fetchFiles([file], this.folder, {
      wait: async (ms) => {
        this.waits.push(ms);
      },
      note: (text) => this.notes.push(text),
      ...options,
    });
    return outcomes[0];
  }

  /** Whether a file has exactly this content. */
  async has(expected: Uint8Array, name = 'file.bin'): Promise<boolean> {
    return (await readFile(path.join(this.folder, name))).equals(expected);
  }

  /** The content of `file.bin.part`. */
  part(): Promise<Buffer> {
    return readFile(path.join(this.folder, 'file.bin.part'));
  }

  async names(): Promise<string[]> {
    return (await readdir(this.folder)).sort();
  }
}

export async function makeFetcher(): Promise<Fetcher> {
  return new Fetcher(await makeFolder());
}
