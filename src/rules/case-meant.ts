/**
 * case-meant - how a case is written that somebody tried to say otherwise.
 *
 * Told are the mistakes that a schema alone would answer with the names of its keys. A case with one is not read further.
 */
import type { DiagnosticCode } from '../core/diagnostic.ts';
import type { YamlPath, YamlValue } from '../yaml/load.ts';
import { quoted } from '../yaml/guards.ts';
import { messageSchema, VERDICTS } from './case-schema.ts';
import { isMapping, kindOf, type Source } from './source.ts';

const PARTS = Object.keys(messageSchema.shape);

type Report = (message: string, hint: string, at: YamlPath, code?: DiagnosticCode) => void;

/** Whether something was reported. */
export function reportMeant(source: Source, value: YamlValue, path: YamlPath): boolean {
  if (!isMapping(value)) return false;
  let told = false;
  const report: Report = (message, hint, at) => {
    told = true;
    source.report('E_UNKNOWN_KEY', message, hint, [...path, ...at], 'key');
  };
  const reportValue: Report = (message, hint, at, code = 'E_TYPE') => {
    told = true;
    source.report(code, message, hint, [...path, ...at]);
  };
  for (const key of Object.keys(value)) reportKey(key, report);
  const { message, expect } = value;
  if (isMapping(message)) for (const key of Object.keys(message)) reportPart(key, report);
  if (typeof message === 'string') {
    const hint = /^\S+$/.test(message)
      ? `for a file write message: { file: ${message} }`
      : 'write message: { from: …, subject: …, body: … }, or put it into a file and write message: { file: NAME }';
    reportValue(`expected a mapping, found ${/\s/.test(message) ? 'a text' : kindOf(message)}`, hint, ['message']);
  }
  if (typeof expect === 'string') {
    const verdict = expect === 'hold' || isVerdict(expect) ? expect.replace('hold', 'relay') : 'reject';
    reportValue(`expected a mapping, found "${expect}"`, `write expect: { verdict: ${verdict} }`, ['expect']);
  }
  const each = isMapping(expect) ? Object.entries(expect).filter(([key]) => key.includes('@')) : [];
  if (each.length === 0) reportExpected(expect, ['expect'], reportValue);
  for (const [recipient, one] of each) reportExpected(one, ['expect', recipient], reportValue);
  return told;
}

function isVerdict(word: string): boolean {
  return VERDICTS.some((verdict) => verdict === word);
}

/** A key that stands beside `message`. */
function reportKey(key: string, report: Report): void {
  if (key === 'sender' || key === 'from') {
    const hint = 'say `message: { from: … }` (From:) or `envelope_from` (MAIL FROM)';
    report(`unknown key "${key}": a message has no one sender`, hint, [key]);
  } else if (PARTS.includes(key)) {
    report(`\`${key}\` is a part of the message`, `write message: { ${key}: … }`, [key]);
  }
}

/** A key that stands below `message`. */
function reportPart(key: string, report: Report): void {
  if (PARTS.includes(key)) return;
  const at = ['message', key];
  if (key === 'to') {
    const hint =
      'take it out: it goes to the list. Others stand under recipients:, beside message; the field under headers: { To: … }';
    report('unknown key "to"', hint, at);
  } else if (/^(?:times|count|repeat|repeated)$/.test(key)) {
    report(`unknown key "${key}"`, 'how often it comes stands beside message: times: 21', at);
  } else if (/^[A-Z][\w-]*$/.test(key)) {
    report(`unknown key "${key}"`, `for a header field write headers: { ${key}: … }`, at);
  }
}

function reportExpected(expected: YamlValue | undefined, at: YamlPath, report: Report): void {
  if (!isMapping(expected)) return;
  const { verdict, text } = expected;
  if (verdict === 'hold' || verdict === 'held') {
    const hint = 'write verdict: relay, and for the mark headers: { X-Postern-Hold: { exists: true } }';
    report('what is held is sent on with a mark', hint, [...at, 'verdict'], 'E_VALUE');
  }
  if (typeof text === 'string') {
    report(`expected match words, found ${kindOf(text)}`, `write text: { contains: ${quoted(text)} }`, [...at, 'text']);
  }
}
