import type { Readable } from 'node:stream';
import { parseStageMessage, type StageMessage } from '../stage/protocol.ts';

/** Far above any real message; a stage that writes more than this without a newline is not following the protocol. */
const lineLengthAtMost = 1024 * 1024;

/** Passes on every message from a channel and ignores anything else. @returns when the channel is closed */
export function readMessages(stream: Readable, onMessage: (message: StageMessage) => void): Promise<void> {
  let line = '';
  let isTooLong = false;
  const take = (text: string): void => {
    const room = lineLengthAtMost - line.length;
    isTooLong ||= text.length > room;
    if (!isTooLong) line += text;
  };
  const endLine = (): void => {
    const message = isTooLong ? null : parseStageMessage(line);
    line = '';
    isTooLong = false;
    if (message !== null) onMessage(message);
  };
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const [first = '', ...others] = text.split('\n');
    take(first);
    for (const next of others) {
      endLine();
      take(next);
    }
  });
  return new Promise((resolve) => {
    // A broken channel is treated like a closed one: what matters is how the process ended.
    stream.once('error', () => resolve());
    stream.once('close', () => resolve());
    stream.once('end', () => resolve());
  });
}
