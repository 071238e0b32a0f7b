import { createServer } from 'node:http';
import path from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { ALL_FACTS } from '../../support/datasets.ts';
import { type Answer, content, listen, serve, startServer, status } from './rig.ts';

const script = path.resolve(import.meta.dirname, '../../../scripts/check-links.mjs');
const run = (words: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  execa(process.execPath, [script, ...words], { reject: false, env });

const zip = Buffer.concat([Buffer.from('PK'), content]);

test('addresses that still have their files are asked for the first bytes only, through redirects', async () => {
  const ranged: Answer = (_, response) =>
    void response.writeHead(206, { 'content-range': `bytes 0-63/${zip.length}` }).end(zip.subarray(0, 64));
  const host = await startServer(ranged, serve(zip));
  const first = await startServer(status(302, { location: host.url('/signed') }));
  for (const _ of ['with ranges', 'without']) {
    const { stdout, exitCode } = await run([first.url('/a.zip')]);
    expect([stdout, exitCode]).toEqual(['1 asked, 0 without their file.', 0]);
  }
  expect(host.ranges).toEqual(['bytes=0-63', 'bytes=0-63']);
});

test.each([
  ['is gone', status(410), 'the server answers 410'],
  ['answers with a check for browsers', status(202), 'the server answers 202'],
  ['sends nothing', serve(Buffer.alloc(0)), 'the server sends nothing'],
  ['sends a page', serve(Buffer.from('<!DOCTYPE html>')), 'the server sends no .zip file'],
  ['cuts the connection', (request) => void request.socket.destroy(), 'other side closed'],
] satisfies [string, Answer, string][])('an address that %s is named', async (_, answer, text) => {
  const [good, bad] = [await startServer(serve(zip)), await startServer(answer)];
  const { stdout, exitCode } = await run([good.url('/a.zip'), bad.url('/b.zip')]);
  const lines = [`b.zip  ${bad.url('/b.zip')}: ${text}`, '2 asked, 1 without their file.'];
  expect([stdout, exitCode]).toEqual([lines.join('\n'), 1]);
});

test('without arguments, every address of every data set is asked', async () => {
  const proxy = createServer((_, response) => response.writeHead(404).end());
  proxy.on('connect', (_, socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'));
  const origin = `http://127.0.0.1:${await listen(proxy)}`;
  const { stdout, exitCode } = await run([], { http_proxy: origin, https_proxy: origin });
  const urls = ALL_FACTS.flatMap(({ files }) =>
    files.flatMap(({ urls = [], zipUrl }) => [urls, zipUrl ?? []].flat()),
  );
  for (const url of urls) expect(stdout).toContain(`  ${url}: `);
  expect(stdout).toContain(`${urls.length} asked, ${urls.length} without their file.`);
  expect(exitCode).toBe(1);
});
