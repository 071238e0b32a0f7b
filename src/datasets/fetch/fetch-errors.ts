import process from 'node:process';
import { ReproError } from '../../errors.ts';
import { formatCount } from '../../text.ts';
import type { PublishedFile } from '../contract/dataset.ts';
import { showPath } from '../contract/how-to-get.ts';
import type { Mirror } from './mirrors.ts';
import { type Checksum, PART_ENDING } from './remote-file.ts';
import { showUrl } from './try-failure.ts';

const PROXY_VARIABLES = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY'];

export function describeAllFailed(
  file: PublishedFile,
  target: string,
  keptBytes: number,
  mirrors: readonly Mirror[],
): ReproError {
  const lines = mirrors.map(({ url, lastFailure, failures }) => {
    const times = failures > 1 ? ` (${failures} times in a row)` : '';
    return `  ${showUrl(url)}: ${lastFailure?.message ?? 'not tried'}${times}`;
  });
  const kept =
    keptBytes > 0 ? ` ${formatCount(keptBytes, 'byte')} are kept, and the download continues there.` : '';
  const fix = [
    `Run the same command again later.${kept}`,
    ...(mirrors.some(({ lastFailure }) => lastFailure?.isUnreachable) ? [proxyAdvice()] : []),
    `Or download it by hand to ${showPath(target)}, then run the same command: it checks what is there.`,
  ].join('\n');
  return new ReproError('fetch-failed', ['it could not be downloaded:', ...lines].join('\n'), {
    where: file.name,
    fix,
    cause: mirrors.at(-1)?.lastFailure ?? undefined,
  });
}

/** The password of a proxy is often in its address, so only the variable is named. */
function proxyAdvice(): string {
  const set = PROXY_VARIABLES.find((name) => (process.env[name] ?? '') !== '');
  return set === undefined
    ? 'Check the network connection. Behind a proxy, set https_proxy=http://HOST:PORT first.'
    : `Check the network connection. ${set} is set, so requests go through that proxy unless no_proxy names the host.`;
}

export function describeWrongChecksum(
  file: PublishedFile,
  target: string,
  tries: readonly { readonly url: string; readonly found: string; readonly sizeBytes: number }[],
): ReproError {
  const { kind, hex } = file.checksum;
  const lines = tries.map(
    ({ url, found, sizeBytes }) =>
      `  ${kind} ${found}, ${formatCount(sizeBytes, 'byte')}, from ${showUrl(url)}`,
  );
  const size = file.sizeBytes === null ? '' : `, ${formatCount(file.sizeBytes, 'byte')}`;
  const text = [`expected ${kind} ${hex}${size}; found, in ${tries.length} downloads:`, ...lines].join('\n');
  return new ReproError('fetch-checksum', text, {
    where: file.name,
    fix: `The file was changed at its source or on the way. Nothing was kept. Compare with the data set's own page, and download it by hand to ${showPath(target)}.`,
  });
}

export interface WrongFile {
  readonly path: string;
  readonly checksum: Checksum;
  readonly sizeBytes: number | null;
  /** null if the size alone shows that it is another file; `not a file` for a folder or a dangling link. */
  readonly found: { readonly hex: string | null; readonly sizeBytes: number } | 'not a file';
}

/**
 * Files in place that are not the published ones. They are left alone: moving one away could break what uses it, and only
 * its owner knows whether it is a failed download or their own work.
 */
export function describeWrongFiles(wrong: readonly WrongFile[]): ReproError {
  const lines = wrong.map(
    ({ path, checksum, sizeBytes, found }) => `${showPath(path)}: ${say(found, checksum, sizeBytes)}`,
  );
  return new ReproError(
    'fetch-wrong-file',
    [
      'existing files are not the published ones; they were left as they are:',
      ...lines.map((line) => `  ${line}`),
    ].join('\n'),
    {
      fix: 'Delete them if they are incomplete downloads, otherwise rename or move them; then run the same command again.',
    },
  );
}

function say(found: WrongFile['found'], { kind, hex }: Checksum, sizeBytes: number | null): string {
  if (found === 'not a file') return 'expected a file, found something else (a folder or a broken link)';
  if (found.hex !== null)
    return `${kind} ${found.hex} is not ${hex}; ${formatCount(found.sizeBytes, 'byte')}`;
  return `${formatCount(found.sizeBytes, 'byte')}, expected ${formatCount(sizeBytes ?? 0, 'byte')}`;
}

/** A process that is suspended for a minute loses its lock. */
export function describeLostLock(target: string): ReproError {
  return new ReproError(
    'lock-lost',
    'another download has taken over this folder, or its lock was deleted.',
    {
      where: showPath(target),
      fix: 'Run the same command again when no other download uses the folder.',
    },
  );
}

export function describeInterruption(
  doing: 'checking' | 'downloading',
  name: string,
  partBytes: number,
  cause: unknown,
): ReproError {
  const kept = partBytes > 0 ? `; ${formatCount(partBytes, 'byte')} are kept in ${name}${PART_ENDING}` : '';
  const fix =
    partBytes > 0 ? 'Run the same command again: it continues there.' : 'Run the same command again.';
  return new ReproError('fetch-interrupted', `Interrupted while ${doing} ${name}${kept}.`, { fix, cause });
}
