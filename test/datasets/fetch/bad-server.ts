import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

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

export interface ServeOptions {
  readonly etag?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Closes the connection after this many bytes of the body. */
  readonly cutAfter?: number;
  /** Sends nothing more after this many bytes, but keeps the connection. */
  readonly stallAfter?: number;
  readonly ignoresRange?: boolean;
  /** `null`: chunked. */
  readonly length?: number | null;
}

/** Serves a file, with `Range` and `If-Range` as it should be, except for what the options say. */
export function serve(content: Uint8Array, options: ServeOptions = {}): Answer {
  const { etag = '"1"', headers = {}, cutAfter, stallAfter, ignoresRange = false } = options;
  return (request, response, server) => {
    const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const isSame = request.headers['if-range'] === etag;
    const first = asked !== null && isSame && !ignoresRange ? Number(asked[1]) : 0;
    const body = content.subarray(first);
    const length = options.length === undefined ? body.length : options.length;
    response.strictContentLength = false;
    response.writeHead(first > 0 ? 206 : 200, {
      ...(etag === '' ? {} : { etag }),
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
