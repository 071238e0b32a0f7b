import type { Json } from '../../schema/json.ts';
import { show } from '../../schema/schema-messages.ts';
import type { Resources } from './plan.ts';

/** What a stage uses if it does not specify anything. */
export const defaultResources: Resources = {
  cpu: 1,
  memoryBytes: 2 ** 30,
  gpu: 0,
  mutexes: [],
  timeSeconds: null,
};

export type Parsed<Value = number> =
  | { readonly value: Value }
  | { readonly message: string; readonly fix: string };

const bytesPerUnit: { readonly [unit: string]: number } = {
  '': 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
};

const secondsPerUnit: { readonly [unit: string]: number } = { s: 1, m: 60, h: 3600, d: 86400 };

/** `4G`, `512M`, `4 GiB` or a number of bytes, as bytes; units are powers of 1024. */
export function parseMemory(value: Json): Parsed {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(String(value).trim());
  const unit = bytesPerUnit[(match?.[2] ?? '').toLowerCase()];
  const bytes = match === null || unit === undefined ? 0 : Math.round(Number(match[1]) * unit);
  if (isScalar(value) && bytes > 0 && Number.isSafeInteger(bytes)) return { value: bytes };
  return { message: `memory ${show(value)} is not a size.`, fix: 'Write it as 512M or 4G.' };
}

/**
 * `90s`, `30m`, `48h`, `2d` or `1h30m`, as seconds; `name` is the key that it belongs to.
 *
 * @param options.mayBeNone whether it may be 0s
 */
export function parseDuration(
  name: string,
  value: Json,
  { mayBeNone = false }: { readonly mayBeNone?: boolean } = {},
): Parsed {
  const text = String(value).replaceAll(' ', '');
  const seconds = [...text.matchAll(/(\d+(?:\.\d+)?)([smhd])/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (secondsPerUnit[unit ?? ''] ?? Number.NaN),
    0,
  );
  if (isScalar(value) && /^(\d+(\.\d+)?[smhd])+$/.test(text)) {
    if (seconds > 0 || (mayBeNone && seconds === 0)) return { value: seconds };
    return {
      message: `${name} has to be longer than ${show(value)}.`,
      fix: 'Write it as 90s, 30m, 48h or 2d.',
    };
  }
  return {
    message: `${name} ${show(value)} is not a duration.`,
    fix: /^\d+(\.\d+)?$/.test(text)
      ? `Its unit is missing: ${text}h for hours, ${text}m for minutes, ${text}s for seconds.`
      : 'Write it as 90s, 30m, 48h or 2d.',
  };
}

/** A whole number of cores, or `share`. */
export function parseCpus(value: Json): Parsed<number | 'share'> {
  if (value === 'share') return { value };
  const parsed = parseCount('cpu', value, 1);
  return 'value' in parsed
    ? parsed
    : { ...parsed, fix: 'Write a whole number >= 1, or share for an equal share of all cores.' };
}

/** A whole number of `name` (cpu, gpu, times), possibly written as text. */
export function parseCount(name: string, value: Json, minimum: number): Parsed {
  const count = isScalar(value) && /^\d+$/.test(String(value)) ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(count) && count >= minimum) return { value: count };
  return {
    message: `${name} ${show(value)} is not a whole number.`,
    fix: `Write a whole number >= ${minimum}.`,
  };
}

/** The name of a mutex. */
export function parseMutex(value: Json): Parsed<string> {
  const name = String(value);
  if (isScalar(value) && /^[A-Za-z0-9][A-Za-z0-9_.+=~-]*$/.test(name)) return { value: name };
  return {
    message: `mutex ${show(value)} is not a name.`,
    fix: 'Write letters, digits and "_ . + = ~ -", beginning with a letter or digit: disk, port-8080.',
  };
}

function isScalar(value: Json): boolean {
  return typeof value === 'string' || typeof value === 'number';
}
