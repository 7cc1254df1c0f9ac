/**
 * loop - asks whether the message has been through this very list already.
 *
 * Evidence are the marks that list managers leave on what they distribute, with the address of this list in them: List-Id:
 * (RFC 2919), List-Post: (RFC 2369), X-BeenThere: (Mailman), X-Loop: (Sympa, SmartList), and `Delivered-To: mailing list
 * ...` (ezmlm). Marks of other lists say nothing: what went through them is welcome. A plain Delivered-To: with the
 * address is what many an MTA puts on top on the way in, and would turn every post into a loop; only a second one is
 * evidence.
 */
import type { HeaderFacts } from '../../core/facts.ts';
import { Kept } from '../../core/kept.ts';
import type { Header } from '../../core/message.ts';
import { foldForMatch } from '../../mail/text.ts';
import { flag } from '../../yaml/scalar.ts';
import { defineCondition } from '../condition.ts';
import { textOf } from '../match.ts';

const LIST = 'gardeners@lists.example.org';

export const loop = defineCondition({
  name: 'loop',
  summary: 'Asks whether the message has been through this list already, by the marks that list managers leave.',
  reference: 'RFC 2919, RFC 2369 section 3.4',
  phase: 'header',
  argument: flag,
  examples: [
    { argument: 'true', given: { header: 'List-Id: Gardeners <Gardeners.lists.example.org>' }, expect: true },
    { argument: 'true', given: { header: `List-Post: <mailto:${LIST}?subject=x>` }, expect: true },
    { argument: 'true', given: { header: `X-BeenThere: ${LIST}` }, expect: true },
    { argument: 'true', given: { header: `X-Loop: ${LIST}` }, expect: true },
    { argument: 'true', given: { header: `Delivered-To: mailing list ${LIST}` }, expect: true },
    { argument: 'true', given: { header: `Delivered-To: ${LIST}` }, expect: false },
    { argument: 'true', given: { header: `Delivered-To: ${LIST}\nReceived: x\nDelivered-To: ${LIST}` }, expect: true },
    {
      argument: 'true',
      given: { header: 'List-Id: <news.lists.example.org>\nX-Loop: news@lists.example.org' },
      expect: false,
    },
    { argument: 'false', given: { header: `Subject: about ${LIST}` }, expect: true },
  ],
  compile: (wanted) => (facts) => wanted === (markOf(facts) !== null),
  saw: (facts) => markOf(facts) ?? 'no mark of this list',
});

const MARKS = ['list-id', 'list-post', 'x-beenthere', 'x-loop', 'delivered-to'];

const marked = new Kept<Header, boolean>();

/** Whether there is any such field: found once for all recipients. */
function isMarked(header: Header): boolean {
  const known = marked.get(header);
  if (known !== undefined) return known;
  const found = MARKS.some((name) => header.named(name).length > 0);
  marked.set(header, found);
  return found;
}

/** The name of the field that marks the message as having been here; null where none does. */
function markOf({ header, address }: HeaderFacts): string | null {
  if (!isMarked(header)) return null;
  const list = foldForMatch(address.list);
  const id = list.replace(/@(?=[^@]*$)/, '.');
  const texts = (name: string): readonly string[] => header.named(name).map((field) => textOf(field, false));
  if (texts('List-Id').some((text) => (/<([^<>]*)>$/.exec(text)?.[1] ?? text).trim() === id)) return 'List-Id';
  if (texts('List-Post').some((text) => text.includes(`<mailto:${list}>`) || text.includes(`<mailto:${list}?`)))
    return 'List-Post';
  for (const name of ['X-BeenThere', 'X-Loop']) if (texts(name).includes(list)) return name;
  const deliveredTo = texts('Delivered-To');
  const times = deliveredTo.filter((text) => text === list).length;
  return times > 1 || deliveredTo.includes(`mailing list ${list}`) ? 'Delivered-To' : null;
}
