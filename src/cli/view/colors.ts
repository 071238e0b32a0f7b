import process from 'node:process';
import pico from 'picocolors';

export type Colors = Pick<
  ReturnType<typeof pico.createColors>,
  'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold'
>;

/**
 * Colours for a stream: none if it is not a terminal, if NO_COLOR is set, or on a dumb terminal. FORCE_COLOR overrides this, and
 * `FORCE_COLOR=0` turns them off. An empty variable counts as unset.
 */
export function colorsFor(stream: { readonly isTTY?: boolean | undefined }): Colors {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  const isForced = FORCE_COLOR === '0' || FORCE_COLOR === 'false' ? false : FORCE_COLOR ? true : undefined;
  return pico.createColors(isForced ?? (stream.isTTY === true && !NO_COLOR && TERM !== 'dumb'));
}
