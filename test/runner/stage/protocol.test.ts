import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { readMessages, type StageMessage } from '../../../src/runner/stage/protocol.ts';

async function read(...chunks: readonly (string | Buffer)[]): Promise<StageMessage[]> {
  const stream = new PassThrough();
  const messages: StageMessage[] = [];
  const closed = readMessages(stream, (message) => messages.push(message));
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await closed;
  return messages;
}

const note = (text: string): StageMessage => ({ type: 'note', level: 'note', text });

describe('the control channel', () => {
  test('joins a message that arrives in pieces, even inside a letter', async () => {
    const bytes = Buffer.from(`${JSON.stringify(note('τ = 2'))}\n${JSON.stringify(note('b'))}\n`);
    const pieces = [...bytes].map((byte) => Buffer.from([byte]));
    expect(await read(...pieces)).toEqual([note('τ = 2'), note('b')]);
  });

  test('skips anything that is not a message', async () => {
    const lines = [
      'garbage',
      '{"type":',
      '[]',
      'null',
      '{"type":"unknown"}',
      '{"type":"progress","progress":{"done":"1","total":2}}',
      '{"type":"metrics","values":{"a":{}}}',
      '{"type":"note","level":"shout","text":"a"}',
      '{"type":"failed","code":1,"text":"a"}',
      '\u0000\u0001',
      '',
    ];
    expect(await read(`${lines.join('\n')}\n${JSON.stringify(note('still here'))}\n`)).toEqual([
      note('still here'),
    ]);
  });

  test('does not accept a truncated last line', async () => {
    expect(await read(`${JSON.stringify(note('a'))}\n${JSON.stringify(note('cut'))}`)).toEqual([note('a')]);
  });

  test('passes on every kind of message', async () => {
    const lines: StageMessage[] = [
      { type: 'progress', progress: { done: 1, total: 2, unit: 'epochs', note: 'n' } },
      { type: 'metrics', values: { a: 1, b: 'x', c: null, d: true } },
      { type: 'note', level: 'warning', text: 'w' },
      { type: 'failed', code: 'c', text: 't' },
      { type: 'done', peakMemoryBytes: null },
    ];
    expect(await read(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))).toEqual(lines);
  });
});
