/**
 * taboo - asks a file of patterns of each line of a message: of its header fields, as `Subject: tulips`, and of its text.
 *
 * Lines are decoded (encoded words, transfer encodings, charsets; of HTML what a reader sees), and otherwise as they stand.
 * What the parts of a multipart say of themselves counts as lines of the body: Content-Type, and Content-Disposition
 * with the name of a file. So lists that were made for whole messages, like Majordomo's, find what they found there.
 */
import type { Answers, ContentFacts } from '../../core/facts.ts';
import type { Header, Message } from '../../core/message.ts';
import { structureOf, type TextPart, textsOf } from '../../mail/body.ts';
import { andThen, type Eventual, oncePer } from '../../core/eventual.ts';
import type { BodyPart, Structure } from '../../mail/mime.ts';
import { text } from '../../yaml/scalar.ts';
import { askOnce, defineCondition } from '../condition.ts';
import { OtherForm, type TextOfOctets } from '../needles.ts';
import type { Lines } from '../pattern-file.ts';

/** In the tests' folder of rules. */
const FILE = 'taboo.txt';
const HTML = 'Content-Type: multipart/mixed; boundary=b';
const PROGRAM = '--b\nContent-Type: application/x-program; name=setup.exe\n\nTVqQ\n--b--\n';

export const taboo = defineCondition({
  name: 'taboo',
  summary: 'Asks whether a line of the message matches one of the patterns in a file.',
  reference: null,
  phase: 'content',
  argument: text.describe('The file: one pattern a line, like header: /^subject:.*lottery/i'),
  examples: [
    { argument: FILE, given: { header: 'Subject: LOTTERY' }, expect: true },
    { argument: FILE, given: { header: 'Subject: =?UTF-8?Q?Lott=65ry?=' }, expect: true },
    { argument: FILE, given: { header: 'Comments: lottery' }, expect: false },
    { argument: FILE, given: { body: 'Here\nbulbs for free' }, expect: true },
    { argument: FILE, given: { body: 'Bulbs for free' }, expect: false },
    { argument: FILE, given: { header: HTML, body: PROGRAM }, expect: true },
  ],
  compile(path, env) {
    const file = env.patternFile(path);
    return askOnce((facts) =>
      andThen(linesOf(facts.message), (lines) =>
        andThen(file.find(lines, facts.answers), (found) => {
          if (found !== null) matches.set(facts.answers, found);
          return found !== null;
        }),
      ),
    );
  },
  saw: ({ answers }: ContentFacts, path) => matches.get(answers) ?? `no pattern of ${path}`,
});

/** The pattern that matched, for a trace. */
const matches = new WeakMap<Answers, string>();

/** Once for all recipients and all files. */
const linesOf: (message: Message) => Eventual<Lines> = oncePer((message: Message) =>
  andThen(structureOf(message), (structure) =>
    andThen(textsOf(message), (texts) => ({ header: headerLines(message.header), body: bodyLines(structure, texts) })),
  ),
);

function headerLines({ fields }: Header): string {
  return fields.map((field) => `${field.name}: ${oneLine(field.text)}`).join('\n');
}

function bodyLines({ parts }: Structure, texts: readonly TextPart[]): string | TextOfOctets {
  const [only] = texts;
  if (only !== undefined && parts.length === 1) return new OtherForm(only, linesOfText);
  return [...parts.slice(1).flatMap(partLines), ...texts.map(linesOfText)].join('\n');
}

function linesOfText({ text }: TextPart): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

function partLines({ type, charset, disposition, names }: BodyPart): readonly string[] {
  const of = charset === null ? '' : `; charset="${charset}"`;
  const files = names.map((name) => `Content-Disposition: ${disposition ?? 'attachment'}; filename="${oneLine(name)}"`);
  return [`Content-Type: ${type}${of}`, ...files];
}

function oneLine(value: string): string {
  return /[\r\n]/.test(value) ? value.replace(/[\r\n]+/g, ' ') : value;
}
