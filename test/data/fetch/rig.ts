import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { expect, onTestFinished } from 'vitest';
import type { FetchOptions } from '../../../src/data/fetch/download-file.ts';
import { type FetchedFile, fetchFiles } from '../../../src/data/fetch/fetch-files.ts';
import type { PublishedFile } from '../../../src/results/dataset-facts.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

// The tests talk to this machine only, whatever proxy it needs for others.
for (const name of ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY']) {
  delete process.env[name];
}

export type FetchProgress = Parameters<NonNullable<FetchOptions['progress']>>[0];

export type Answer = (request: IncomingMessage, response: ServerResponse, server: BadServer) => void;

/** A local server that answers as told, and remembers what it was asked and what it sent. */
export class BadServer {
  readonly requests: IncomingMessage[] = [];
  /** Of all bodies. */
  sentBytes = 0;
  origin = '';

  url(path = '/file.bin'): string {
    return this.origin + path;
  }

  /** The `Range` of each request. */
  get ranges(): (string | undefined)[] {
    return this.requests.map(({ headers }) => headers.range);
  }

  send(response: ServerResponse, bytes: Uint8Array, then?: () => void): void {
    this.sentBytes += bytes.length;
    response.write(bytes, then);
  }
}

/** One answer per request, in this order; the last one again and again. */
export async function startServer(...answers: readonly Answer[]): Promise<BadServer> {
  const bad = new BadServer();
  const server = createServer((request, response) => {
    // The client may leave at any moment.
    response.on('error', () => {});
    request.socket.on('error', () => {});
    const answer = answers[Math.min(bad.requests.length, answers.length - 1)];
    bad.requests.push(request);
    answer?.(request, response, bad);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  bad.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return bad;
}

interface ServeOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Closes the connection after this many bytes of the body. */
  readonly cutAfter?: number;
  /** Sends nothing more after this many bytes, but keeps the connection. */
  readonly stallAfter?: number;
  readonly ignoresRange?: boolean;
  /** As announced; `null`: chunked. */
  readonly length?: number | null;
}

/** Serves a file, with `Range` as it should be, except for what the options say. */
export function serve(content: Uint8Array, options: ServeOptions = {}): Answer {
  const { headers = {}, cutAfter, stallAfter, ignoresRange = false } = options;
  return (request, response, server) => {
    const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const first = asked !== null && !ignoresRange ? Number(asked[1]) : 0;
    const body = content.subarray(first);
    const length = options.length === undefined ? body.length : options.length;
    response.strictContentLength = false;
    response.writeHead(first > 0 ? 206 : 200, {
      ...(length === null ? {} : { 'content-length': length }),
      ...(first > 0 ? { 'content-range': `bytes ${first}-${content.length - 1}/${content.length}` } : {}),
      ...headers,
    });
    const end = Math.min(cutAfter ?? body.length, stallAfter ?? body.length, length ?? body.length);
    const isWhole = cutAfter === undefined && stallAfter === undefined && (length ?? 0) <= body.length;
    server.send(response, body.subarray(0, end), () => {
      if (isWhole) response.end();
      else if (stallAfter === undefined) response.socket?.end();
    });
  };
}

export function status(code: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return (_, response) => response.writeHead(code, headers).end(`error ${code}`);
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
  { name = 'file.bin', sizeBytes = content.length as number | null } = {},
): PublishedFile {
  const hex = createHash('md5').update(content).digest('hex');
  return { name, urls, md5: hex, ...(sizeBytes === null ? {} : { sizeBytes }) };
}

export const homepage = 'https://publisher.invalid/';
export const PART = 'file.bin.repro-part';

/** Downloads one file into a folder of its own without ever waiting between tries, and records the waits. */
export class Fetcher {
  readonly folder: string;
  readonly waits: number[] = [];
  readonly notes: string[] = [];

  constructor(folder: string) {
    this.folder = folder;
  }

  async fetch(file: PublishedFile, options: FetchOptions = {}): Promise<FetchedFile['outcome'] | undefined> {
    const fetched = await fetchFiles({ files: [file], homepage }, this.folder, {
      wait: async (ms) => {
        this.waits.push(ms);
      },
      note: (text) => this.notes.push(text),
      ...options,
    });
    return fetched[0]?.outcome;
  }

  /** Whether a file has exactly this content. */
  async has(expected: Uint8Array, name = 'file.bin'): Promise<boolean> {
    return (await readFile(path.join(this.folder, name))).equals(expected);
  }

  write(name: string, content: string | Uint8Array): Promise<void> {
    return writeFile(path.join(this.folder, name), content);
  }

  /** The content of the incomplete `file.bin`. */
  part(): Promise<Buffer> {
    return readFile(path.join(this.folder, PART));
  }

  async names(): Promise<string[]> {
    return (await readdir(this.folder)).sort();
  }
}

export async function makeFetcher(): Promise<Fetcher> {
  return new Fetcher(await temporaryFolder());
}

export const content = makeContent(300_000);
export const other = makeContent(300_000, 2);

/** What one address that gives these answers leads to. */
export async function fetchFrom(
  answers: readonly Answer[],
  {
    sizeBytes = content.length,
    name = 'file.bin',
    ...options
  }: FetchOptions & { readonly sizeBytes?: number | null; readonly name?: string } = {},
) {
  const server = await startServer(...answers);
  const fetcher = await makeFetcher();
  const file = remoteFile(content, [server.url()], { sizeBytes, name });
  const result = await fetcher.fetch(file, { retries: 1, ...options }).catch((error: unknown) => error);
  return { server, fetcher, file, result };
}

export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

export const failure = (code: string, message: string) => ({
  code,
  message: expect.stringContaining(message),
});
