import type { Readable } from 'node:stream';
import { parseStageMessage, type StageMessage } from './protocol.ts';

/** Far above any real message; a stage that writes more than this without a newline is not following the protocol. */
const lineLengthAtMost = 1024 * 1024;

/**
 * Passes on every message from a channel.
 *
 * @param onOther is called with every other line that is not empty; by default they are ignored
 * @returns when the channel is closed
 */
export function readMessages(
  stream: Readable,
  onMessage: (message: StageMessage) => void,
  onOther: (line: string) => void = () => {},
): Promise<void> {
  let line = '';
  let isTooLong = false;
  const take = (text: string): void => {
    const room = lineLengthAtMost - line.length;
    isTooLong ||= text.length > room;
    if (!isTooLong) line += text;
  };
  const endLine = (): void => {
    const message = isTooLong ? null : parseStageMessage(line);
    if (message !== null) onMessage(message);
    else if (line.trim() !== '') onOther(line);
    line = '';
    isTooLong = false;
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
