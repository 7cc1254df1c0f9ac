/**
 * file-schema - every key of the files of rules: what it is for, what it may hold, an example.
 *
 * The JSON Schemas are made from these objects, and `parse` takes from them which keys there are. Below `when` and `then`
 * stand the parts of the registry with their own words. Examples are YAML.
 */
import { z } from 'zod';
import { ROLES } from '../core/facts.ts';
import { flag, listOf, scalar, text } from '../yaml/scalar.ts';
import { caseSchema } from './case-schema.ts';
import type { Condition } from './condition.ts';
import type { Scope, TrustedServer } from './env.ts';
import { presetHead } from './preset.ts';
import { actions, conditions } from './registry.ts';
import { IF_TOO_COSTLY } from './ruleset.ts';
import { setSchema } from './sets.ts';

/** A preset's rules stand among those of a list, but the site wrote them. */
export type FileKind = Scope | 'preset';
export const FILE_KINDS: readonly FileKind[] = ['system', 'list', 'preset'];

const PHASE_WORDS = { envelope: 'at RCPT', header: 'behind the header section', content: 'after the final dot' };

const ruleName = scalar('name', ['members-only'], (source) => {
  if (/^[A-Za-z0-9][\w.-]{0,63}$/.test(source)) return { value: source };
  const written = source
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\w.]+/g, '-')
    .replace(/^[^A-Za-z0-9]+|-+$/g, '');
  const example = written === '' || written.length > 64 ? 'members-only' : written;
  const hint = `use up to 64 letters, digits, -, _ and . like ${example}`;
  return { problem: { code: 'E_VALUE', message: `"${source}" cannot be the name of a rule`, hint } };
});

const authservId = scalar('authserv-id', ['mx.example.org'], (source) => {
  if (/^[^\s;()="]{1,255}$/.test(source)) return { value: source.toLowerCase() };
  const hint = 'write the name that stands first in its Authentication-Results: mx.example.org';
  return { problem: { code: 'E_VALUE', message: `"${source}" is not an authserv-id`, hint } };
});

const trustedServer = z.union([
  authservId.transform((name): TrustedServer => ({ name, several: false })),
  z.strictObject({
    name: authservId.meta({ description: 'The authserv-id, which stands first in its fields.' }),
    several: flag.meta({
      description: 'Whether it writes several such fields, and takes out what came in its name: then all count.',
      examples: ['true'],
    }),
  }),
]);

const day = scalar(
  'day',
  ['2026-12-31'],
  (source) => {
    const time = /^\d{4}-\d\d-\d\d$/.test(source) ? Date.parse(source) : Number.NaN;
    if (!Number.isNaN(time) && new Date(time).toISOString().startsWith(source)) return { value: source };
    return { problem: { code: 'E_VALUE', message: `"${source}" is not a day`, hint: 'write one like 2026-12-31' } };
  },
  '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
);

function conditionKey({ argument, summary, phase, phaseNote, mayBeEarly, systemOnly, examples }: Condition): z.ZodType {
  const when = phaseNote ?? `known ${PHASE_WORDS[phase]}${mayBeEarly ? ', where it is not certain before' : ''}`;
  const whose = systemOnly ? ' For rules of the system, and of lists where the site allows it.' : '';
  const shown = [...new Set(examples.map((example) => example.argument))].slice(0, 3);
  return argument.optional().meta({
    description: `${summary} ${when.charAt(0).toUpperCase()}${when.slice(1)}.${whose}`,
    examples: shown,
  });
}

/** The conditions of the registry, all of which must hold, and what combines them. */
const when: z.ZodType = z
  .lazy(() =>
    z.strictObject({
      ...Object.fromEntries([...conditions].map(([name, condition]) => [name, conditionKey(condition)])),
      ...combinations,
    }),
  )
  .refine((value) => Object.keys(value as object).length > 0)
  .meta({ id: 'conditions' });

/** What may stand under `when` beside the conditions of the registry. */
export const combinations = {
  all: z
    .array(when)
    .min(1)
    .optional()
    .meta({
      description: 'All of these must hold.',
      examples: ['[{ size: { above: 1 MB } }, { text_parts: { html: true } }]'],
    }),
  any: z
    .array(when)
    .min(1)
    .optional()
    .meta({
      description: 'One of these must hold.',
      examples: ['[{ subject: { contains: sale } }, { body: { contains: sale } }]'],
    }),
  not: when.optional().meta({
    description: 'This must not hold. What is not known does not hold.',
    examples: ['{ addressed_to_list: true }'],
  }),
  condition: listOf(text)
    .optional()
    .meta({
      description: 'A condition under conditions: by its name; of several one must hold.',
      examples: ['from-a-robot'],
    }),
};

/** One item of `then`; what an action says of itself stands at its own key. */
const action = z
  .union(
    [...actions.values()].map(({ name, argument, summary, decides, systemOnly, examples }) => {
      const whose = systemOnly ? ' For rules of the system, and of lists where the site allows it.' : '';
      const description = `${summary} ${decides ? 'It decides.' : 'It goes on to the next rule.'}${whose}`;
      return argument.meta({ title: name, description, examples: examples.map(({ yaml }) => yaml).slice(0, 3) });
    }),
  )
  .meta({ id: 'action' });

/** By another name: an object with a key `then` could be taken for a promise. */
const THEN = 'then';

/** Every key of a rule, whatever file it stands in. */
export const ruleKeys = {
  name: ruleName.meta({
    description: 'What the rule is called, in this file only once; it stands in the log, in traces and in statistics.',
  }),
  roles: listOf(z.enum(ROLES))
    .optional()
    .meta({
      title: 'role, or a list of them',
      description:
        'Which addresses of the list it is for. Where it is left out: post; in the file of the system all of them.',
      examples: ['post', '[owner, request]'],
    }),
  overridable: flag.optional().meta({ description: 'Whether a list may go without it, by skip.', examples: ['true'] }),
  enabled: flag.optional().meta({
    description: 'Whether the rule is there; for a parameter of type flag that turns it off.',
    examples: ['$check_size'],
  }),
  mode: z
    .enum(['enforce', 'shadow'])
    .optional()
    .meta({
      title: 'enforce | shadow',
      description: 'shadow: the rule is asked, counted and logged, and decides nothing.',
      examples: ['shadow'],
    }),
  until: day.optional().meta({ description: 'The last day of a shadow rule; after it loading complains.' }),
  when: when.meta({
    title: 'conditions',
    description: 'When the rule applies: all conditions here must hold. For every message: { always: true }',
    examples: ['{ author: { not_in: members } }'],
  }),
  unless: when.optional().meta({
    title: 'conditions',
    description: 'The exception: where all conditions here hold, the rule does not apply.',
    examples: ['{ subject: { starts_with: "[guest]" } }'],
  }),
  [THEN]: z.union([z.array(action).min(1), action]).meta({
    title: 'action, or a list of them',
    description: 'What happens then: one action, or a list of which at most the last one decides.',
    examples: ['{ reject: "Only subscribers may post to {list}." }', 'relay'],
  }),
};

const { overridable: _, ...ofPreset } = ruleKeys;
const { enabled: __, ...ofSystem } = ruleKeys;
const { overridable: ___, ...ofList } = ofSystem;

/** The keys of a rule, by the kind of file it stands in. */
export const ruleSchemas = {
  system: z.strictObject(ofSystem),
  list: z.strictObject(ofList),
  preset: z.strictObject(ofPreset),
} as const satisfies Record<FileKind, z.ZodObject>;

const RULE = '[{ name: large, when: { size: { above: 1 MB } }, then: { reject: Please send a link. } }]';

const version = z.literal('1').meta({ title: '1', description: 'The version of the rule language.', examples: ['1'] });

export const ifTooCostly = z.enum(IF_TOO_COSTLY);

const parts = {
  if_too_costly: ifTooCostly.optional().meta({
    title: 'defer | skip',
    description: 'What becomes of a message on which the patterns of a rule take too long; defer where it is left out.',
    examples: ['skip'],
  }),
  sets: z
    .record(z.string(), setSchema)
    .optional()
    .meta({
      description: 'Values under a name, for in and not_in.',
      examples: ['{ members: { file: rosters/gardeners.txt } }'],
    }),
  conditions: z
    .record(z.string(), when)
    .optional()
    .meta({
      description: 'Conditions under a name, for rules that ask them with condition.',
      examples: ['{ from-a-robot: { auto_submitted: "yes" } }'],
    }),
};

const tests = z
  .array(caseSchema)
  .optional()
  .meta({
    description: 'Messages, and what the rules must say of them. A file whose cases fail is not in force.',
    examples: ['[{ name: strangers, message: { from: eve@example.com }, expect: { verdict: reject } }]'],
  });

/** The keys of a file. */
export const fileSchemas = {
  system: z
    .strictObject({
      version,
      trust_results_from: listOf(trustedServer)
        .optional()
        .meta({
          title: 'authserv-id, a mapping, or a list of them',
          description:
            'Whose Authentication-Results are believed: the names of your own MTAs. Of each the topmost field; with several: true all of them, where it takes out what came in its name.',
          examples: ['[mx.example.org]', '{ name: mx.example.org, several: true }'],
        }),
      ...parts,
      before: z
        .array(ruleSchemas.system)
        .optional()
        .meta({
          description: 'Rules that are asked before those of the list; what they decide is final.',
          examples: [RULE],
        }),
      after: z
        .array(ruleSchemas.system)
        .optional()
        .meta({
          description: 'Rules that are asked of what the rules of the list let pass.',
          examples: [RULE],
        }),
      tests,
    })
    .meta({ title: 'Postern: rules of the system', description: 'Rules for every list.' }),
  list: z
    .strictObject({
      version,
      list: text.optional().meta({
        description: 'The list whose file this is; it must agree with the place of the file.',
        examples: ['gardeners@lists.example.org'],
      }),
      extends: listOf(text)
        .optional()
        .meta({
          description: 'The presets whose rules stand before those of this file.',
          examples: ['members-only', '[members-only, size-limit]'],
        }),
      with: z
        .record(z.string(), z.unknown())
        .optional()
        .meta({
          description: 'The parameters of the presets, or those of one preset under its name.',
          examples: ['{ members: { file: rosters/gardeners.txt } }', '{ size-limit: { limit: 5 MB } }'],
        }),
      skip: listOf(text)
        .optional()
        .meta({
          description: 'Rules of the system that this list goes without; those with overridable: true alone.',
          examples: ['too-large'],
        }),
      ...parts,
      rules: z
        .array(ruleSchemas.list)
        .optional()
        .meta({
          description: 'The rules, asked in order; the first that decides ends them.',
          examples: [RULE],
        }),
      tests,
    })
    .meta({ title: 'Postern: rules of a list', description: 'The file of one list, or the default of a domain.' }),
  preset: z
    .strictObject({
      version,
      ...presetHead,
      ...parts,
      rules: z
        .array(ruleSchemas.preset)
        .optional()
        .meta({
          description: 'The rules, asked in order before those of the list.',
          examples: [RULE],
        }),
    })
    .meta({ title: 'Postern: a preset', description: 'Rules with parameters, which lists extend.' }),
} as const satisfies Record<FileKind, z.ZodObject>;
