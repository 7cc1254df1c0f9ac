/**
 * library-reply - the replies that the library gives of itself, made ours: enhanced codes, no "Error:" before the text.
 */
import type { EnhancedStatusCode, Reply } from '../core/reply.ts';

/** RFC 3463; any other code gets x.0.0 of its class. */
const STATUS: Readonly<Record<number, EnhancedStatusCode>> = {
  252: '2.5.0',
  421: '4.3.2',
  500: '5.5.2',
  501: '5.5.4',
  502: '5.5.1',
  503: '5.5.1',
};

const PREFIX = 'Error: ';

/** The arguments are those of the library's `send`; a context of false asks for no enhanced code. */
export function libraryReply(code: number, data: string | string[] | null | undefined, context: unknown): Reply {
  const text = Array.isArray(data) ? data.map(withoutPrefix).join('\n') : withoutPrefix(data ?? '');
  return { code, status: context === false ? null : (STATUS[code] ?? classStatus(code)), text };
}

function withoutPrefix(line: string): string {
  return line.startsWith(PREFIX) ? line.slice(PREFIX.length) : line;
}

function classStatus(code: number): EnhancedStatusCode | null {
  if (code >= 500) return '5.0.0';
  if (code >= 400) return '4.0.0';
  return code >= 200 && code < 300 ? '2.0.0' : null;
}
