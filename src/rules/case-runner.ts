/**
 * case-runner - the rules that the cases of a file run over: those of the file itself, and around them what would apply.
 *
 * A case in the system's file meets the system's rules alone. A case in the file of a list meets the system's too, and a
 * recipient of another list that list's own; whether the file is in force hangs on its own list only, because no list may
 * stop another one.
 */
import { setImmediate } from 'node:timers/promises';
import type { Dialect, ListAddress } from '../core/facts.ts';
import type { Layout } from '../core/layout.ts';
import type { Mailbox } from '../core/mailbox.ts';
import { readText } from '../yaml/file.ts';
import { type CasePolicy, type CaseResult, runCase } from './case.ts';
import { CASE_LEDGER } from './case-counts.ts';
import { CaseSets } from './case-sets.ts';
import type { RuleCase } from './case-read.ts';
import type { Scope } from './env.ts';
import { type LoadedRuleset, type LoadOptions, loadRuleset } from './load.ts';
import { readMailbox } from './one-address.ts';
import { Programs } from './program.ts';
import type { Ruleset } from './ruleset.ts';
import { listFiles, splitAddress } from './select.ts';

/** A file of rules as it was read. */
interface RulesText {
  readonly file: string;
  readonly text: string;
  readonly scope: Scope;
  /** The list whose file it is; null for the system's file and for a domain's default. */
  readonly list: string | null;
}

/** A file that is loaded for its cases and not to be served by: its sets hold what each case gives. */
export interface RulesFile extends RulesText {
  readonly loaded: LoadedRuleset;
  readonly sets: CaseSets;
}

export interface CaseRunnerOptions {
  readonly system: { readonly file: string; readonly text: string } | null;
  readonly lists: { readonly folder: string; readonly layout?: Layout } | null;
  readonly dialect: Dialect;
  readonly load: Pick<LoadOptions, 'downstreams' | 'maildirs' | 'patterns' | 'now' | 'presets' | 'may'>;
}

/** Which recipients are looked at: those of the file's own list, or all. */
export type Reach = 'own' | 'all';

export class CaseRunner {
  readonly #options: CaseRunnerOptions;
  #system: RulesFile | null | undefined;

  constructor(options: CaseRunnerOptions) {
    this.#options = options;
  }

  /** The system's file; null where there is none. */
  get system(): RulesFile | null {
    const { system } = this.#options;
    this.#system ??= system === null ? null : this.load({ ...system, scope: 'system', list: null });
    return this.#system;
  }

  load(rules: RulesText): RulesFile {
    const sets = new CaseSets(rules.file, this.#options.load.now);
    const open: NonNullable<LoadOptions['open']> = (name, source) => sets.open(name, source);
    const system = rules.scope === 'list' ? this.#systemRules() : null;
    const loaded = loadRuleset({ ...this.#options.load, ...rules, ledger: CASE_LEDGER, system, open });
    sets.give(new Map());
    return { ...rules, loaded, sets };
  }

  /** Runs the cases of a file that loads, one after the other; between them others get their turn. */
  async run(rules: RulesFile, reach: Reach): Promise<readonly CaseResult[]> {
    const { dialect } = this.#options;
    const { cases, ruleset } = rules.loaded;
    const programs = new Programs(rules.scope === 'system' ? ruleset : this.#systemRules());
    const others = new Map<string, Ruleset | null | 'broken'>();
    const policyFor = (recipient: Mailbox): CasePolicy => {
      const address = splitAddress(recipient, dialect);
      if (rules.scope === 'system') return { address, program: programs.for(null, address.role) };
      let list: Ruleset | null | 'broken' = ruleset;
      if (!this.#governs(rules, address)) {
        list = others.get(address.list) ?? this.#readOther(address);
        others.set(address.list, list);
      }
      return { address, program: list === 'broken' ? null : programs.for(list, address.role) };
    };
    const asks = (address: ListAddress) => reach === 'all' || rules.scope === 'system' || this.#governs(rules, address);
    const results: CaseResult[] = [];
    for (const one of cases) {
      rules.sets.give(one.given);
      const ran = await runCase(one, rules.file, policyFor, asks);
      results.push(...ran.map((result) => withHint(result, one, rules.sets.missed)));
      await setImmediate();
    }
    return results;
  }

  /** Whether the rules of that file are those of the address. */
  #governs({ file, list }: Pick<RulesFile, 'file' | 'list'>, address: ListAddress): boolean {
    const { lists } = this.#options;
    if (list !== null) return address.list === list;
    return lists !== null && listFiles(lists.folder, address.list, lists.layout).fallback === file;
  }

  #systemRules(): Ruleset | null {
    return this.system?.loaded.ruleset ?? null;
  }

  /** The rules of a list that another one's case writes to. */
  #readOther({ list }: ListAddress): Ruleset | null | 'broken' {
    const { lists } = this.#options;
    if (lists === null) return null;
    const { own, fallback } = listFiles(lists.folder, list, lists.layout);
    for (const file of [own, fallback]) {
      const text = file === null ? null : readText(file).text;
      if (file === null || text === null) continue;
      return this.load({ file, text, scope: 'list', list: file === own ? list : null }).loaded.ruleset ?? 'broken';
    }
    return null;
  }
}

/** A case that fails where a set was asked that is a file fails mostly because it is empty there. */
function withHint(result: CaseResult, { message }: RuleCase, missed: readonly string[]): CaseResult {
  const { failure } = result;
  const [set] = missed;
  if (failure === null || failure.hint !== null || set === undefined) return result;
  const member = readMailbox(message.from ?? '') === null ? 'ann@example.net' : message.from;
  const hint = `the set "${set}" is a file, and empty in a case; to fill it write given: { ${set}: [${member}] }`;
  return { ...result, failure: { ...failure, hint } };
}
