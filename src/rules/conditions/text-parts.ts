/**
 * text_parts - asks which kinds of text a message has: plain, HTML or both (RFC 2046 section 4.1).
 *
 * A message that says nothing of its type is plain text. Attachments do not count.
 */
import { z } from 'zod';
import type { ContentFacts } from '../../core/facts.ts';
import { isHtml, isText, structureOf } from '../../mail/body.ts';
import { andThen } from '../../core/eventual.ts';
import type { Structure } from '../../mail/mime.ts';
import { flag } from '../../yaml/scalar.ts';
import { defineCondition } from '../condition.ts';
import { askNothing, asksSomething } from '../match.ts';

const HTML = 'Content-Type: text/html';
const BOTH = 'Content-Type: multipart/alternative; boundary=b';
const BOTH_BODY = '--b\n\ntulips\n--b\nContent-Type: text/html\n\n<p>tulips\n--b--\n';

export const textParts = defineCondition({
  name: 'text_parts',
  summary: 'Asks whether there is a plain text, and whether there is an HTML text.',
  reference: 'RFC 2046 section 4.1',
  phase: 'content',
  argument: z
    .strictObject({
      plain: flag.optional().describe('Whether there is a text/plain part.'),
      html: flag.optional().describe('Whether there is a text/html part.'),
    })
    .refine(asksSomething, askNothing('html: true')),
  examples: [
    { argument: '{ plain: false, html: true }', given: { header: HTML, body: '<p>tulips' }, expect: true },
    { argument: '{ plain: false, html: true }', given: { header: BOTH, body: BOTH_BODY }, expect: false },
    { argument: '{ plain: true, html: true }', given: { header: BOTH, body: BOTH_BODY }, expect: true },
    { argument: '{ plain: true }', given: { header: 'Subject: tulips', body: 'tulips' }, expect: true },
  ],
  compile: ({ plain, html }) => {
    const fits = (structure: Structure): boolean => {
      const kinds = kindsOf(structure);
      return (plain ?? kinds.plain) === kinds.plain && (html ?? kinds.html) === kinds.html;
    };
    return ({ message }) => andThen(structureOf(message), fits);
  },
  saw({ message }: ContentFacts) {
    const structure = structureOf(message);
    if (structure instanceof Promise) return 'not read';
    const { plain, html } = kindsOf(structure);
    return [...(plain ? ['plain'] : []), ...(html ? ['html'] : [])].join(' and ') || 'no text';
  },
});

function kindsOf({ parts }: Structure): { readonly plain: boolean; readonly html: boolean } {
  const texts = parts.filter(isText);
  return { plain: texts.some((part) => !isHtml(part)), html: texts.some(isHtml) };
}
