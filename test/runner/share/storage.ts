import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, onTestFinished, vi } from 'vitest';
import type { RemoteSettings } from '../../../src/runner/plan/plan.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** Debian's python3-moto, which emulates S3. */
const server = ['/usr/bin/moto_server', 'moto_server'].find(
  (one) => (one.includes('/') ? existsSync(one) : true) && spawnSync(one, ['--help']).status === 0,
);

/** Why tests with S3 are skipped; undefined if they are not. */
export const s3Missing = server === undefined ? 'needs moto_server: apt-get install python3-moto' : undefined;

/** For the titles of tests. */
export const s3Title = s3Missing === undefined ? 'S3' : `S3 (skipped: ${s3Missing})`;

/** Starts an S3 server for a test file, and gives it and its children the environment of a user of it. */
export function useS3Server(): void {
  let child: ChildProcess | undefined;
  beforeAll(async () => {
    if (server === undefined) return;
    const port = await findPort();
    const endpoint = `http://127.0.0.1:${port}`;
    child = spawn(server, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL: endpoint,
    });
    await vi.waitFor(() => fetch(endpoint), { timeout: 50_000, interval: 100 });
  });
  afterAll(() => void child?.kill());
}

/** A port that was free a moment ago. */
function findPort(): Promise<number> {
  const probe = net.createServer();
  return new Promise((resolve) => {
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}

/** What a server in front of the S3 server saw. */
export interface Watched {
  readonly endpoint: string;
  readonly broken: () => number;
  /** The `authorization` of each request, which names the region. */
  readonly signatures: readonly string[];
}

/**
 * Starts a server in front of the S3 server that breaks the first connections for an object whose path has this part: halfway, or before
 * its first byte.
 */
export async function breakConnections(
  times: number,
  { part = '/files/', share = 0.5 }: { readonly part?: string; readonly share?: number } = {},
): Promise<Watched> {
  let broken = 0;
  const signatures: string[] = [];
  const server = process.env.AWS_ENDPOINT_URL;
  const proxy = http.createServer((request, response) => {
    const target = new URL(request.url ?? '', server);
    const { method, headers } = request;
    signatures.push(headers.authorization ?? '');
    const forwarded = http.request(target, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      const isMeant = target.pathname.includes(part) && Number(answer.headers['content-length']) > 1;
      if (method !== 'GET' || !isMeant || broken === times) {
        answer.pipe(response);
        return;
      }
      broken += 1;
      response.flushHeaders();
      answer.once('data', (chunk: Buffer) => {
        response.write(chunk.subarray(0, Math.ceil(share * chunk.length)), () => response.destroy());
      });
    });
    request.pipe(forwarded);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void proxy.close());
  const address = proxy.address();
  const port = typeof address === 'object' ? address?.port : 0;
  return { endpoint: `http://127.0.0.1:${port}`, broken: () => broken, signatures };
}

let buckets = 0;

/** Makes an empty remote cache. */
export async function makeStorage(kind: 'folder' | 's3'): Promise<RemoteSettings> {
  if (kind === 'folder') {
    const folder = await temporaryFolder();
    return { address: path.join(folder, 'cache') };
  }
  buckets += 1;
  const bucket = `bucket-${process.pid}-${buckets}`;
  const { ok } = await fetch(`${process.env.AWS_ENDPOINT_URL}/${bucket}`, { method: 'PUT' });
  if (!ok) throw new Error(`no bucket ${bucket}`);
  return { address: `s3://${bucket}/some/prefix` };
}
