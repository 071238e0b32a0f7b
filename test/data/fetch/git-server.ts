import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { onTestFinished } from 'vitest';
import type { GitFolder } from '../../../src/results/dataset-facts.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** Independent of who runs the tests. */
const env = {
  PATH: process.env.PATH,
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  ...Object.fromEntries(
    ['AUTHOR', 'COMMITTER'].flatMap((who) => [
      [`GIT_${who}_NAME`, 'test'],
      [`GIT_${who}_EMAIL`, 'test@example.invalid'],
      [`GIT_${who}_DATE`, '2026-01-01T00:00:00Z'],
    ]),
  ),
};

/** A bare repository, `data.git` in a folder that a server can serve. */
export class Repository {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  git(words: readonly string[], input: string | Uint8Array = ''): string {
    return execFileSync('git', words, { cwd: this.folder, env, input, encoding: 'utf8' }).trim();
  }

  blob(content: string | Uint8Array): string {
    return this.git(['hash-object', '-w', '--stdin'], content);
  }

  /** @param lines as `git ls-tree` prints them, which may be nonsense */
  tree(...lines: readonly string[]): string {
    return this.git(['mktree', '--missing'], lines.map((line) => `${line}\n`).join(''));
  }

  /** @param content by path */
  async treeOf(content: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
    const work = path.join(await temporaryFolder(), 'work');
    for (const [name, bytes] of Object.entries(content)) {
      await mkdir(path.dirname(path.join(work, name)), { recursive: true });
      await writeFile(path.join(work, name), bytes);
    }
    this.git(['read-tree', '--empty']);
    this.git(['--work-tree', work, 'add', '--all', '--force', '.']);
    return this.git(['write-tree']);
  }

  /** Makes this tree the folder `sounds` of a new commit, beside others and after another commit. @returns what a data set's file says */
  commit(tree: string): GitFolder {
    const older = this.git([
      'commit-tree',
      '-m',
      'older',
      this.tree(`100644 blob ${this.blob('older')}\told`),
    ]);
    const other = this.tree(`100644 blob ${this.blob(noise(2_000_000, 9))}\tlarge`);
    const whole = this.tree(`040000 tree ${tree}\tsounds`, `040000 tree ${other}\tother`);
    const commit = this.git(['commit-tree', '-p', older, '-m', 'data', whole]);
    this.git(['update-ref', 'refs/heads/main', commit]);
    return { url: 'http://data.invalid/data.git', commit, folder: 'sounds', tree };
  }
}

export async function makeRepository(parent: string): Promise<Repository> {
  const folder = path.join(parent, 'data.git');
  await mkdir(folder);
  const repository = new Repository(folder);
  repository.git(['init', '--bare', '--quiet']);
  repository.git(['config', 'uploadpack.allowFilter', 'true']);
  const attributes = '* -text -ident -filter -working-tree-encoding\n';
  await writeFile(path.join(folder, 'info/attributes'), attributes);
  return repository;
}

/** Bytes that cannot be compressed. */
export function noise(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = seed;
  for (let i = 0; i < size; i += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Git's own server, behind one that counts, cuts and stalls. */
export class GitServer {
  readonly url: string;
  readonly requests: string[] = [];
  /** Of all answers. */
  sentBytes = 0;
  /** From so many on, answers stop: the connection is closed, or stays open without another byte. */
  cutAfter = Number.POSITIVE_INFINITY;
  stallAfter = Number.POSITIVE_INFINITY;
  /** Whether it gives any object by its id, as by the newer protocol. */
  givesById = true;
  /** Answers in place of git's. */
  instead: Handler | null = null;
  /** Called once for each piece that is sent. */
  onData = (): void => {};

  constructor(url: string) {
    this.url = url;
  }
}

export async function serveGit(root: string): Promise<GitServer> {
  const children = new Set<ChildProcess>();
  const http = createServer((request, response) => {
    server.requests.push(`${request.method} ${request.url}`);
    request.socket.on('error', () => {});
    response.on('error', () => {});
    if (server.instead !== null) return server.instead(request, response);
    const { pathname, search } = new URL(request.url ?? '', server.url);
    const child = spawn('git', ['http-backend'], {
      env: {
        ...env,
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        REQUEST_METHOD: request.method,
        PATH_INFO: pathname,
        QUERY_STRING: search.slice(1),
        CONTENT_TYPE: request.headers['content-type'],
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'],
        GIT_PROTOCOL: server.givesById ? String(request.headers['git-protocol'] ?? '') : '',
      },
    });
    children.add(child);
    child.on('close', () => children.delete(child));
    child.stdin.on('error', () => {});
    request.pipe(child.stdin);
    forward(child.stdout, response, server);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const server = new GitServer(`http://127.0.0.1:${(http.address() as AddressInfo).port}`);
  onTestFinished(async () => {
    for (const child of children) child.kill('SIGKILL');
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  });
  return server;
}

/** Turns the answer of a CGI program into one of HTTP. */
function forward(output: NodeJS.ReadableStream, response: ServerResponse, server: GitServer): void {
  let head = '';
  let isStopped = false;
  output.on('data', (chunk: Buffer) => {
    let body = chunk;
    if (!response.headersSent) {
      head += chunk.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const fields = head.slice(0, end).split('\r\n');
      const status = fields.find((field) => field.startsWith('Status: '))?.slice(8, 11) ?? '200';
      const others = fields.filter((field) => !field.startsWith('Status: '));
      response.writeHead(Number(status), Object.fromEntries(others.map((field) => field.split(': '))));
      body = Buffer.from(head.slice(end + 4), 'latin1');
    }
    if (isStopped) return;
    server.sentBytes += body.length;
    isStopped = server.sentBytes >= Math.min(server.cutAfter, server.stallAfter);
    if (server.sentBytes >= server.cutAfter) response.socket?.destroy();
    else if (!isStopped) response.write(body);
    server.onData();
  });
  output.on('end', () => void (isStopped || response.end()));
}
