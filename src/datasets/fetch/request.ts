import process from 'node:process';
import { type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { headerOf } from './answer-headers.ts';
import { type Answer, exchange } from './exchange.ts';
import { explainNetworkError } from './network-error.ts';
import { readProxies } from './proxies.ts';
import { redirectTarget } from './redirect.ts';
import { TryFailure } from './try-failure.ts';

/** Browsers follow 20; a download page needs two or three. */
const MOST_REDIRECTS = 10;
const REDIRECTS = [301, 302, 303, 307, 308];

export interface Limits {
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
