import { addAbortSignal, type Readable } from 'node:stream';
import { describeError, ReproError } from '../../errors.ts';
import type { Remote } from './remote.ts';

/** Of reading an object whose connection breaks midway. Before its first byte the client itself tries again. */
const attemptsAtMost = 4;

/**
 * Reads an object, again from its beginning if the connection breaks: that is no reason to give up hours of other transfers.
 *
 * @returns null if there is no such object
 */
export async function readPatiently<T>(
  remote: Remote,
  key: string,
  read: (stream: Readable) => Promise<T>,
  signal?: AbortSignal,
): Promise<T | null> {
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    const stream = await remote
      .open(key, signal)
      .catch((error: unknown) => throwUnreadable(remote, key, error));
    if (stream === null) return null;
    // Whoever reads it is told; but it may break before anyone does.
    stream.on('error', () => {});
    if (signal !== undefined) addAbortSignal(signal, stream);
    try {
      return await read(stream);
    } catch (error) {
      signal?.throwIfAborted();
      const isBroken = error instanceof ReproError && error.code === 'remote-unreachable';
      // Not by the write of what was read.
      if (hasSystemCall(error, 'read')) throwUnreadable(remote, key, error);
      if (!isBroken || attempt === attemptsAtMost) throw error;
    } finally {
      stream.destroy();
    }
  }
}

function hasSystemCall(error: unknown, name: string): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === name;
}

/** An error of the file system is about this one object; others may be readable. */
function throwUnreadable(remote: Remote, key: string, error: unknown): never {
  if (!(error instanceof Error && 'syscall' in error)) throw error;
  throw new ReproError('remote-unreadable', `this object cannot be read: ${describeError(error)}`, {
    where: `${remote.address}/${key}`,
    fix: 'Nothing of it was used. Make it readable, or remove it and push again.',
    cause: error,
  });
}
