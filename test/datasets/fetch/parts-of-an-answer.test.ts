import { describe, expect, test } from 'vitest';
import {
  isOtherVersion,
  parseBytes,
  parseContentRange,
  parseRetryAfterMs,
  readVersion,
} from '../../../src/datasets/fetch/answer.ts';
import { readProxies, redirectTarget } from '../../../src/datasets/fetch/request.ts';
import { explainNetworkError } from '../../../src/datasets/fetch/try-failure.ts';

describe('a Content-Range', () => {
  test.each([
    ['bytes 5-9/10', { first: 5, totalBytes: 10 }],
    ['bytes 0-0/*', { first: 0, totalBytes: null }],
    ['bytes */10', { first: null, totalBytes: 10 }],
    ['bytes 5-10/10', null],
    ['bytes 9-5/10', null],
    ['bytes 5-/10', null],
    ['items 5-9/10', null],
    ['', null],
    [null, null],
  ])('%j is %j', (text, expected) => {
    expect(parseContentRange(text)).toEqual(expected);
  });
});

test('a length is a whole number of bytes or unknown', () => {
  expect(['0', '12', '-1', '1.5', '1e3', '', null].map(parseBytes)).toEqual([
    0,
    12,
    null,
    null,
    null,
    null,
    null,
  ]);
});

test('Retry-After is read as seconds or a date; a date in the past asks for nothing', () => {
  const now = Date.parse('Mon, 01 Jan 2024 00:00:00 GMT');
  const parse = (value: string) => parseRetryAfterMs({ 'retry-after': value }, now);
  expect(['3', 'Mon, 01 Jan 2024 00:00:05 GMT', 'Sun, 31 Dec 2023 00:00:00 GMT', 'soon'].map(parse)).toEqual([
    3000,
    5000,
    0,
    null,
  ]);
  expect(parseRetryAfterMs({}, now)).toBeNull();
});

describe('a version', () => {
  const headers = {
    'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT',
    date: 'Mon, 01 Jan 2024 00:00:01 GMT',
  };

  test('is told by a strong ETag, or else by a date that is a second old', () => {
    const ifRange = (change: object) => readVersion({ ...headers, ...change }).ifRange;
    expect(ifRange({ etag: '"a"' })).toBe('"a"');
    expect(ifRange({ etag: 'W/"a"' })).toBeNull();
    expect(ifRange({ etag: 'a' })).toBeNull();
    expect(ifRange({})).toBe(headers['last-modified']);
    expect(ifRange({ date: headers['last-modified'] })).toBeNull();
    expect(ifRange({ date: undefined })).toBeNull();
  });

  test('is another one if a field that both have differs', () => {
    const version = (etag: string | null, lastModified: string | null) => ({
      etag,
      lastModified,
      ifRange: null,
    });
    expect(isOtherVersion(version('"a"', 'x'), version('"b"', 'x'))).toBe(true);
    expect(isOtherVersion(version('"a"', 'x'), version('"a"', 'y'))).toBe(true);
    expect(isOtherVersion(version('"a"', null), version(null, 'y'))).toBe(false);
  });
});

test('a redirect is followed to https from anywhere, and to http only from http', () => {
  const target = (from: string, to: string | null) => redirectTarget(new URL(from), to).href;
  expect(target('http://a.org/x/y', '../z')).toBe('http://a.org/z');
  expect(target('http://a.org/', 'https://b.org/')).toBe('https://b.org/');
  expect(target('https://a.org/', '//b.org/')).toBe('https://b.org/');
  expect(() => target('https://a.org/', 'http://b.org/x?secret')).toThrow(
    'the server redirects from https: to http: (http://b.org/x), which is not followed',
  );
  expect(() => target('https://a.org/', 'http://')).toThrow('without saying where to');
});

describe('a failure of the network', () => {
  const failure = (code: string, message = 'x') =>
    explainNetworkError(Object.assign(new Error(message), { code }));

  test('may pass, except for a certificate or a proxy that refuses', () => {
    expect(failure('ENOTFOUND')).toMatchObject({ kind: 'passing', isUnreachable: true });
    expect(failure('UND_ERR_SOCKET')).toMatchObject({ kind: 'passing', isUnreachable: false });
    expect(failure('DEPTH_ZERO_SELF_SIGNED_CERT')).toMatchObject({
      kind: 'lasting',
      message: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    });
    expect(failure('UND_ERR_ABORTED', 'Proxy response (403) !== 200')).toMatchObject({ kind: 'lasting' });
    expect(failure('E_NEW', 'something new')).toMatchObject({ kind: 'passing', message: 'something new' });
  });

  test('of all addresses of a host is told by the first', () => {
    const refused = Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
    expect(explainNetworkError(new AggregateError([refused, new Error('y')]))).toMatchObject({
      message: 'the connection was refused (ECONNREFUSED)',
    });
  });
});

describe('the proxies of the environment', () => {
  test('are read in lower case first; HOST:PORT is enough', () => {
    expect(readProxies({ http_proxy: 'proxy:3128', HTTPS_PROXY: ' http://me:pw@proxy:1 ' })).toEqual({
      httpProxy: 'http://proxy:3128',
      httpsProxy: 'http://me:pw@proxy:1',
    });
    expect(readProxies({ http_proxy: 'http://a', HTTP_PROXY: 'http://b', https_proxy: '' })).toEqual({
      httpProxy: 'http://a',
    });
  });

  test('are refused if they are no addresses of HTTP proxies, without showing them', () => {
    const refusal = expect.objectContaining({
      code: 'fetch-proxy',
      message: 'https_proxy is not the address of an HTTP proxy.',
    });
    for (const https_proxy of ['ftp://me:secret@proxy', 'http://']) {
      expect(() => readProxies({ https_proxy })).toThrow(refusal);
    }
  });
});
