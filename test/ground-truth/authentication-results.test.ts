/**
 * Authentication-Results: the examples of two other parsers (RFC 8601).
 */
import { type AuthenticationResults, parseAuthenticationResults } from '../../src/mail/authentication-results.ts';
import { truthOf } from '../support/wire-corpus.ts';
import { scored } from './score.ts';
import { oneBlank } from './truth.ts';

function bodyOf(header: string): string {
  return oneBlank(header.replace(/^Authentication-Results:/, ''));
}

/** What `key` of a vector names; null for what is only another form of it. */
function part(parsed: AuthenticationResults | null, key: string): string | undefined | null {
  if (key === 'authserv_id') return parsed?.authservId;
  const [, index = '', path = ''] = /^results\[(\d)\]\.(.+)$/.exec(key) ?? [];
  const result = parsed?.results[Number(index)];
  if (path === 'method' || path === 'result') return result?.[path];
  if (path === 'reason') return result?.reason ?? 'None';
  const [, position = '', name = ''] = /^properties\[(\d)\]\.(type|name|value)$/.exec(path) ?? [];
  const property = result?.properties[Number(position)];
  return name === '' ? null : name === 'type' ? property?.type : name === 'name' ? property?.name : property?.value;
}

type Pairs = readonly (readonly [string, string])[];

scored('authres-python', (score) => {
  const rows = truthOf<{ readonly header: string; readonly expect: Pairs }>('tables/authres/authres-python.jsonl');
  for (const [index, { header, expect }] of rows.entries()) {
    const parsed = parseAuthenticationResults(bodyOf(header));
    const seen = new Set<string>();
    const compared: { readonly key: string; readonly ours: unknown; readonly theirs: string }[] = [];
    for (const [key, theirs] of expect) {
      // What is said twice is said of another header of the same document.
      if (seen.has(key)) break;
      seen.add(key);
      const ours = part(parsed, key);
      if (ours !== null) compared.push({ key, ours, theirs });
    }
    const pairs = (which: 'ours' | 'theirs') => compared.map((one) => [one.key, one[which]]);
    score.compare(index, pairs('ours'), pairs('theirs'));
  }
});

interface Vector {
  readonly header: string;
  readonly parses?: boolean;
  readonly authserv_id?: string;
  readonly has?: Pairs;
}

/** The broken ones must bring no result, whatever the other parser makes of them. */
scored('mail-authenticationresults', (score) => {
  for (const [index, vector] of truthOf<Vector>('tables/authres/mail-authenticationresults.jsonl').entries()) {
    const parsed = parseAuthenticationResults(bodyOf(vector.header));
    if (vector.parses !== undefined) {
      score.compare(index, parsed?.results ?? [], []);
      continue;
    }
    const told = parsed?.results.flatMap(({ method, result, properties }) => [
      `${method} ${result}`,
      ...properties.map(({ type, name, value }) => `${type}.${name} ${value}`),
    ]);
    const has = (vector.has ?? []).map(([key, text]) => `${key} ${text}`);
    score.compare(
      index,
      [vector.authserv_id && parsed?.authservId, ...has.filter((one) => told?.includes(one))],
      [vector.authserv_id, ...has],
    );
  }
});
