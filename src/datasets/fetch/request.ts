import process from 'node:process';
import { type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { ReproError } from '../../errors.ts';
import { type AnswerHeaders, headerOf } from './answer.ts';
import { explainNetworkError, showUrl, TryFailure } from './try-failure.ts';

/** Browsers follow 20; a download page needs two or three. */
const MOST_REDIRECTS = 10;
const REDIRECTS = [301, 302, 303, 307, 308];

interface Limits {
  /** To make a connection. */
  readonly connectSeconds: number;
  /** Without a single byte, before or after the headers. */
  readonly stallSeconds: number;
}

/** Makes requests through the proxies of `http_proxy`, `https_proxy` and `no_proxy`, which Node's own fetch ignores. */
export class Requester {
  readonly #limits: Limits;
  readonly #signal: AbortSignal | undefined;
  readonly #dispatcher: Dispatcher;

  constructor(limits: Limits, signal: AbortSignal | undefined) {
    this.#limits = limits;
    this.#signal = signal;
    const connect = { timeout: limits.connectSeconds * 1000 };
    // A proxy for http:// is asked for the file, as every other program does: many allow tunnels to port 443 only.
    this.#dispatcher = new EnvHttpProxyAgent({
      ...readProxies(process.env),
      connect,
      proxyTls: connect,
      proxyTunnel: false,
    });
  }

  /**
   * Asks for a file and follows redirects, except from https to http.
   *
   * @throws {TryFailure} if there is no answer, or a redirect leads nowhere
   */
  async get(url: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
    let current = new URL(url);
    for (let redirects = 0; ; redirects += 1) {
      const answer = await this.#getOnce(current, headers);
      if (!REDIRECTS.includes(answer.status)) return answer;
      answer.close();
      if (redirects === MOST_REDIRECTS) {
        throw new TryFailure('lasting', `the server redirects more than ${MOST_REDIRECTS} times`);
      }
      current = redirectTarget(current, headerOf(answer.headers, 'location'));
    }
  }

  /** Cuts all connections. */
  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  async #getOnce(url: URL, headers: Readonly<Record<string, string>>): Promise<Answer> {
    // A file that the server compresses on the way cannot be continued, and has no size known in advance.
    const all = { 'accept-encoding': 'identity', 'user-agent': 'plif-repro', ...headers };
    try {
      return await exchange(this.#dispatcher, url, all, this.#limits.stallSeconds * 1000, this.#signal);
    } catch (error) {
      this.#signal?.throwIfAborted();
      throw explainNetworkError(error);
    }
  }
}

/**
 * Where a redirect leads. A redirect from https to http is not followed: anyone on the way could send anything.
 *
 * @param location as sent; may be relative
 */
export function redirectTarget(from: URL, location: string | null): URL {
  if (location === null || !URL.canParse(location, from.href)) {
    throw new TryFailure('lasting', 'the server redirects without saying where to');
  }
  const target = new URL(location, from);
  const isAllowed =
    target.protocol === 'https:' || (target.protocol === 'http:' && from.protocol === 'http:');
  if (isAllowed) return target;
  throw new TryFailure(
    'lasting',
    `the server redirects from ${from.protocol} to ${target.protocol} (${showUrl(target)}), which is not followed`,
  );
}

export interface Proxies {
  readonly httpProxy?: string;
  readonly httpsProxy?: string;
}

/**
 * The proxies that the environment names, lower case before upper case. As for curl, `HOST:PORT` means `http://HOST:PORT`.
 *
 * @throws {ReproError} `fetch-proxy` for one that is not an address; it is not shown, since it may contain a password
 */
export function readProxies(environment: Readonly<Record<string, string | undefined>>): Proxies {
  const http = readOne(environment, 'http_proxy');
  const https = readOne(environment, 'https_proxy');
  return {
    ...(http === null ? {} : { httpProxy: http }),
    ...(https === null ? {} : { httpsProxy: https }),
  };
}

function readOne(environment: Readonly<Record<string, string | undefined>>, name: string): string | null {
  const set = [name, name.toUpperCase()].find((one) => (environment[one] ?? '').trim() !== '');
  if (set === undefined) return null;
  const value = (environment[set] ?? '').trim();
  const url = value.includes('://') ? value : `http://${value}`;
  if (URL.canParse(url) && ['http:', 'https:'].includes(new URL(url).protocol)) return url;
  throw new ReproError('fetch-proxy', `${set} is not the address of an HTTP proxy.`, {
    fix: `Set it to http://HOST:PORT, or unset it (unset ${set}) to connect directly.`,
  });
}

/** Enough to keep the connection busy while the disk is. */
const MOST_QUEUED_BYTES = 1 << 20;

/** What a server answers to one request. */
interface Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** As sent: not decoded. Ends with an error if the connection fails, after everything that came before. Read once. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the exchange, however far it is. */
  close(): void;
}

/**
 * One request and its answer. Unlike a Node stream, which forgets what it holds when it fails, the body yields every byte that
 * arrived before a failure: those bytes need not be downloaded again.
 *
 * @param timeoutMs how long to wait for the headers, and for each further byte
 */
function exchange(
  dispatcher: Dispatcher,
  url: URL,
  headers: Readonly<Record<string, string>>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const body = new Body();
    const stop = (reason: unknown): void => {
      signal?.removeEventListener('abort', onAbort);
      body.fail(reason);
      reject(reason);
    };
    const onAbort = (): void => stop(signal?.reason);
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    dispatcher.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'GET',
        headers,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      },
      {
        onRequestStart: (controller) => body.attach(controller),
        onResponseStart: (_, status, found) => {
          // Not 1xx, which precede the answer.
          if (status < 200) return;
          resolve({ status, headers: found, body, close: () => stop(new Error('closed')) });
        },
        onResponseData: (_, chunk) => body.push(chunk),
        onResponseEnd: () => {
          signal?.removeEventListener('abort', onAbort);
          body.end();
        },
        onResponseError: (_, error) => stop(error),
      },
    );
  });
}

class Body implements AsyncIterable<Uint8Array> {
  #controller: Dispatcher.DispatchController | null = null;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #ending: 'none' | 'complete' | { readonly error: unknown } = 'none';
  /** Wakes the reader. */
  #wake: () => void = () => {};

  attach(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#ending !== 'none') this.#cut();
  }

  push(chunk: Uint8Array): void {
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.#queuedBytes >= MOST_QUEUED_BYTES) this.#controller?.pause();
    this.#wake();
  }

  end(): void {
    if (this.#ending === 'none') this.#ending = 'complete';
    this.#wake();
  }

  fail(error: unknown): void {
    if (this.#ending !== 'none') return;
    this.#ending = { error };
    this.#wake();
    this.#cut();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#queue.shift();
      if (chunk !== undefined) {
        this.#queuedBytes -= chunk.length;
        yield chunk;
      } else if (this.#ending === 'complete') return;
      else if (this.#ending !== 'none') throw this.#ending.error;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          this.#controller?.resume();
        });
      }
    }
  }

  #cut(): void {
    if (this.#controller?.aborted === false) this.#controller.abort(new Error('closed'));
  }
}
