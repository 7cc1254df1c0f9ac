/**
 * The rules of Mailman 3 by the examples of its documentation, each said in YAML from the settings of the list.
 */
import type { Given } from '../../src/rules/part.ts';
import { truthOf } from '../support/wire-corpus.ts';
import { ask, literally, onTheWire, type When } from './ask.ts';
import { scored } from './score.ts';

interface Row {
  readonly rule: string;
  readonly list_settings: Readonly<Record<string, string>>;
  readonly other_setup: readonly string[];
  readonly message_lf: string;
  readonly expected: boolean;
}

interface Question {
  readonly when: When;
  readonly given?: Given;
  readonly content: string;
}

const NEVER: When = { not: { always: true } };
const FIELDS = ['To', 'Cc', 'Resent-To', 'Resent-Cc'];

/** How a setting is written in Python. */
function text(setting = ''): string {
  return /'([^']*)'/.exec(setting)?.[1]?.trim() ?? setting;
}

const TRANSLATE: Readonly<Record<string, (row: Row) => Question>> = {
  /** Words of the commands, alone on a line of the subject or at the start of the text. */
  administrivia: ({ list_settings: settings, message_lf: content }) => {
    const commands = '^(confirm +\\S+|help|info|lists?|options|remove|unsubscribe|subscribe|who)$';
    const when = { any: [{ subject: { regex: commands } }, { body: { regex: `(?im)${commands}`, raw: true } }] };
    return { when: settings['administrivia'] === 'True' ? when : NEVER, content };
  },

  approved: ({ list_settings: settings, message_lf: content }) => {
    const password = text(settings['moderator_password']);
    const named = { name: ['Approved', 'Approve', 'X-Approved', 'X-Approve'], is: password, raw: true };
    const first = `^\\s*(?i:approved?): *${literally(password)}\\s*\\n`;
    return { when: { any: [{ header: named }, { body: { regex: first, raw: true } }] }, content };
  },

  /** Mailman asks the DNS; here the site's own server has asked it, and has written down what it found. */
  'dmarc-mitigation': ({ list_settings: settings, message_lf: message }) => {
    const action = settings['dmarc_mitigate_action'] ?? '';
    const policy = message.includes('example.biz') ? 'dmarc=fail (p=reject)' : 'dmarc=none';
    const content = `Authentication-Results: mx.example.org; ${policy}\n${message}`;
    const when = { auth: { dmarc_policy: ['quarantine', 'reject'] } };
    return { when: /reject|discard/.test(action) ? when : NEVER, content };
  },

  emergency: ({ list_settings: settings, message_lf: content }) => ({
    when: settings['emergency'] === 'True' ? { always: true } : NEVER,
    content,
  }),

  'implicit-dest': ({ list_settings: settings, other_setup: setup, message_lf: content }) => {
    const aliases = new Set<string>();
    for (const line of setup) {
      const [, change, alias = ''] = /alias_set\.(add|remove|clear)\((?:'([^']*)')?\)/.exec(line) ?? [];
      if (change === 'clear') aliases.clear();
      else if (change === 'add') aliases.add(alias);
      else if (change === 'remove') aliases.delete(alias);
    }
    const named = [...aliases].map((alias) => {
      const address = alias.startsWith('^') ? alias.slice(1) : literally(alias);
      return { header: { name: FIELDS, regex: `(^|[ <,])${address}($|[ >,])` } };
    });
    const when = { not: { any: [{ addressed_to_list: true }, ...named] } };
    return { when: settings['require_explicit_destination'] === 'True' ? when : NEVER, content };
  },

  loop: ({ message_lf: content }) => ({
    when: { any: [{ loop: true }, { header: { name: 'List-Post', is: '{list}' } }] },
    content,
  }),

  /** The body of these messages is fifteen lines that the example makes. */
  'max-size': ({ list_settings: settings, message_lf: message }) => {
    const content = message + `${'x'.repeat(79)}\n`.repeat(15);
    const limit = settings['max_message_size'] ?? '';
    const above = limit.startsWith('msg.')
      ? `${onTheWire(content).length + 1024} B`
      : `${Number.parseInt(limit, 10)} KB`;
    return { when: above === '0 KB' ? NEVER : { size: { above } }, content };
  },

  /** Mailman counts the addresses in the header, we those of the envelope: here these are the same. */
  'max-recipients': ({ list_settings: settings, message_lf: content }) => {
    const most = Number(settings['max_num_recipients']);
    const others = [...content.matchAll(/[bcde]person@example\.com/g)].map(([address]) => address);
    return { when: most === 0 ? NEVER : { recipients: { above: most - 1 } }, given: { others }, content };
  },

  'news-moderation': ({ list_settings: settings, message_lf: content }) => ({
    when: settings['newsgroup_moderation']?.endsWith('.moderated') ? { always: true } : NEVER,
    content,
  }),

  'no-subject': ({ message_lf: content }) => ({ when: { subject: { empty: true } }, content }),

  'suspicious-header': ({ list_settings: settings, message_lf: content }) => {
    const [name, ...pattern] = text(settings['bounce_matching_headers']).split(': ');
    return { when: { header: { name, regex: pattern.join(': ') } }, content };
  },
};

scored('mailman3', async (score) => {
  for (const [index, row] of truthOf<Row>('tables/filters/mailman3-rule-doctests.jsonl').entries()) {
    const { when, given, content } = TRANSLATE[row.rule]?.(row) ?? { when: NEVER, content: '' };
    const to = row.list_settings['list'] ?? '';
    const from = /From: (\S+)/.exec(content)?.[1] ?? '';
    score.compare(index, await ask(when, onTheWire(content), { to, from, ...given }), row.expected);
  }
});
