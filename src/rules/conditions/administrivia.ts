/**
 * administrivia - asks whether a message is a command for the list manager that went to the list.
 *
 * The rule is Mailman's: Subject, or one of the first ten lines of the first text/plain part that are not blank, is a
 * command with as many arguments as it takes. Beyond Mailman, words that make sentences must look like arguments: "confirm
 * 4711" and "subscribe gardeners" are commands, "Confirm attendance" and "Subscribe to our newsletter" are posts.
 */
import type { ContentFacts } from '../../core/facts.ts';
import { type TextPart, textsOf } from '../../mail/body.ts';
import { andThen } from '../../core/eventual.ts';
import { foldForMatch } from '../../mail/text.ts';
import { flag } from '../../yaml/scalar.ts';
import { defineCondition } from '../condition.ts';
import { textOf } from '../match.ts';

/** Whether these words behind a command are its arguments; the list by its local-part. */
type Takes = (args: readonly string[], list: string) => boolean;

const none: Takes = ({ length }) => length === 0;
const isOption = (word: string): boolean => /@|=|^(?:no)?digest$|^mime$|^plain$/.test(word);
const SETTINGS: ReadonlySet<string> = new Set(
  'ack authenticate delivery digest duplicates hide myposts reminders'.split(' '),
);

const COMMANDS: ReadonlyMap<string, Takes> = new Map<string, Takes>([
  ['confirm', ([cookie = '', ...more]) => more.length === 0 && /\d/.test(cookie)],
  ['help', none],
  ['info', none],
  ['lists', none],
  ['options', none],
  ['password', ({ length }) => length === 2],
  ['remove', none],
  ['set', ({ length, 0: setting = '' }) => length === 3 && SETTINGS.has(setting)],
  // Majordomo names the list, LISTSERV a person behind it.
  ['subscribe', (args, list) => args.length <= 3 && (args[0] === list || args.slice(1).every(isOption))],
  ['unsubscribe', ({ length }) => length <= 1],
  ['who', (args, list) => args.length <= 2 && args.every((word) => word === list || isOption(word))],
]);

/** Lines of the text that can be commands, blank ones not counted. */
const MOST_LINES = 10;
/** Characters of the longest line that can be one. */
const LONGEST_LINE = 500;

export const administrivia = defineCondition({
  name: 'administrivia',
  summary: 'Asks whether the subject, or one of the first ten lines of the text, is a command for the list manager.',
  reference: null,
  phase: 'content',
  argument: flag,
  examples: [
    { argument: 'true', given: { header: 'Subject: Unsubscribe' }, expect: true },
    { argument: 'true', given: { header: 'Subject: tulips', body: '\nsubscribe gardeners\n-- \nAnn' }, expect: true },
    { argument: 'true', given: { header: 'Subject: Help, my tulips', body: 'help me\nwith them' }, expect: false },
    { argument: 'true', given: { header: 'Subject: Subscribe to our newsletter', body: '> help' }, expect: false },
    { argument: 'false', given: { header: 'Subject: tulips', body: 'tulips' }, expect: true },
  ],
  compile: (wanted) => (facts) => andThen(commandOf(facts), (command) => (command !== null) === wanted),
  saw(facts) {
    const command = commandOf(facts);
    if (command instanceof Promise) return 'not read';
    return command === null ? 'no command' : JSON.stringify(command);
  },
});

/** The first line that is a command, folded. */
function commandOf({ header, message, address }: ContentFacts): string | null | Promise<string | null> {
  const list = address.list.slice(0, address.list.lastIndexOf('@'));
  const [subject] = header.named('Subject');
  const asked = subject === undefined ? '' : textOf(subject, false);
  if (isCommand(asked, list)) return asked;
  return andThen(textsOf(message), (texts) => firstLines(texts).find((line) => isCommand(line, list)) ?? null);
}

function firstLines(texts: readonly TextPart[]): readonly string[] {
  const text = texts.find(({ type }) => type === 'text/plain')?.text ?? '';
  const lines: string[] = [];
  for (const [line] of text.matchAll(/[^\r\n]*\S[^\r\n]*/g)) {
    lines.push(line.length > LONGEST_LINE ? '' : foldForMatch(line).trim());
    if (lines.length === MOST_LINES) break;
  }
  return lines;
}

function isCommand(line: string, list: string): boolean {
  if (line.length > LONGEST_LINE) return false;
  const [command = '', ...args] = line.split(' ');
  return COMMANDS.get(command)?.(args, list) === true;
}
