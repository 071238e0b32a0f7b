import { ReproError } from '../../errors.ts';

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
