import { Help } from 'commander';

/** In a narrower terminal, a column beside the names of options would leave no room for what they mean. */
const columnsForTwo = 64;

/** An option, argument or command of a help page with its description: beside it, or below it where there is little room. */
export function formatHelpItem(term: string, termWidth: number, description: string, helper: Help): string {
  const columns = helper.helpWidth ?? 80;
  if (columns >= columnsForTwo || description === '') {
    return Help.prototype.formatItem.call(helper, term, termWidth, description, helper);
  }
  const [outer, inner] = ['  ', '      '];
  return `${outer}${term}\n${inner}${helper.boxWrap(description, columns - inner.length).replaceAll('\n', `\n${inner}`)}`;
}
