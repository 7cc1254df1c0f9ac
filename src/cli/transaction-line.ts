/**
 * transaction-line - the record of a transaction as JSON: what `JSON.stringify` prints, in a fraction of its time.
 *
 * It is the one text that is made for every recipient of every message. Recipients of one message differ in their address
 * and their list; the rest is mostly that of the one before, and is printed once.
 */
import type { RecipientRecord, TransactionRecord } from '../core/log.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The record as one object, without the brace that opens it and what ends a line. */
export function printTransaction(record: TransactionRecord): string {
  const { id, listener, client, helo, from, size, end, ms, stages, recipients } = record;
  let text =
    `"id":${quoted(id)},"listener":${quoted(listener)},"client":${orNull(client)},"helo":${quoted(helo)}` +
    `,"from":${quoted(from)},"size":${size},"end":${quoted(end)},"ms":${ms}`;
  if (stages !== undefined) text += `,"stages":${JSON.stringify(stages)}`;
  text += ',"recipients":[';
  let before: RecipientRecord | null = null;
  let rest = '';
  for (const one of recipients) {
    if (before === null || !hasRestOf(before, one)) rest = inOnePiece(printRest(one));
    const to = quoted(one.to);
    const list = one.list === one.to ? to : quoted(one.list);
    text += before === null ? `{"to":${to},"list":${list},${rest}` : `,{"to":${to},"list":${list},${rest}`;
    before = one;
  }
  return `${text}]}`;
}

function quoted(text: string): string {
  return isPlain(text) ? `"${text}"` : JSON.stringify(text);
}

/** Whether JSON prints it as it is. A loop, because to ask a pattern costs more than so short a text. */
function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) return false;
  }
  return true;
}

function orNull(text: string | null): string {
  return text === null ? 'null' : quoted(text);
}

/** Whether all behind the list is as it was for the recipient before. */
function hasRestOf(before: RecipientRecord, one: RecipientRecord): boolean {
  return (
    one.reply === before.reply &&
    one.ms === before.ms &&
    one.rule === before.rule &&
    one.ruleset === before.ruleset &&
    one.verdict === before.verdict &&
    one.phase === before.phase &&
    one.downstream === before.downstream &&
    one.role === before.role &&
    hasNoMore(one) &&
    hasNoMore(before)
  );
}

function hasNoMore({ redirect, copies, notes, score, shadow }: RecipientRecord): boolean {
  return (redirect ?? copies ?? notes ?? shadow ?? score) === undefined;
}

/** The same text; what the engine had put together from pieces is copied as one, each time that it is written. */
function inOnePiece(text: string): string {
  text.charCodeAt(0);
  return text;
}

/** From the role on. */
function printRest(one: RecipientRecord): string {
  const { role, ruleset, rule, verdict, phase, reply, downstream, ms } = one;
  const all =
    `"role":${quoted(role)},"ruleset":${orNull(ruleset)},"rule":${orNull(rule)},"verdict":${quoted(verdict)}` +
    `,"phase":${orNull(phase)},"reply":${quoted(reply)},"downstream":${orNull(downstream)},"ms":${ms}`;
  if (hasNoMore(one)) return `${all}}`;
  const { redirect, copies, notes, score, shadow } = one;
  return `${all},${JSON.stringify({ redirect, copies, notes, score, shadow }).slice(1)}`;
}
