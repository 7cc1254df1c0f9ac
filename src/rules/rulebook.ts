/**
 * rulebook - all rules there are: the system's and the presets, read once, and those of lists, found when mail comes for them.
 *
 * A reload opens another rulebook; transactions that began with this one end with it.
 */
import { statSync } from 'node:fs';
import { type Diagnostic, isWarning } from '../core/diagnostic.ts';
import { andThen, type Eventual } from '../core/eventual.ts';
import type { Dialect, ListAddress } from '../core/facts.ts';
import { type Layout, PLAIN } from '../core/layout.ts';
import type { Log } from '../core/log.ts';
import type { Mailbox } from '../core/mailbox.ts';
import type { Ledger } from '../store/ledger.ts';
import { memoryLedger } from '../store/memory-ledger.ts';
import { readText } from '../yaml/file.ts';
import { wholeFile } from '../yaml/place.ts';
import { caseDiagnostics, type CaseResult } from './case.ts';
import { CaseRunner, type RulesFile } from './case-runner.ts';
import { checkListFolder, checkSetFiles } from './check-files.ts';
import { startEvaluation } from './evaluate.ts';
import { type FoundRuleset, type LastGood, ListRulesets, logOverdue, rememberLastGood } from './list-rulesets.ts';
import { type LoadedRuleset, loadRuleset } from './load.ts';
import { checkNames, type ListsMay, TIGHTEN_ONLY } from './may.ts';
import { PatternCache } from './pattern.ts';
import type { Policy } from './policy.ts';
import { openPresets } from './presets.ts';
import { Programs } from './program.ts';
import { keepable, RecentPolicies } from './recent-policies.ts';
import { RuleClock, type RuleTime } from './rule-clock.ts';
import { type ShadowCount, shadowCounter } from './shadow-counts.ts';
import { type ListFiles, listFiles, splitAddress } from './select.ts';

export interface RulesOptions {
  /** The path of the system's file; null for no rules of the system. */
  readonly system: string | null;
  /** `layout`: the folders within that of a domain; plain where it is left out. */
  readonly lists: { readonly folder: string; readonly dialect: Dialect; readonly layout?: Layout } | null;
  /** The folder of the presets; null or left out for none. Read at the start, like the system's file. */
  readonly presets?: string | null;
  /** What the files of lists may do; `file` is that of the configuration, for what is wrong with it. */
  readonly may?: ListsMay & { readonly file: string };
  /** The names that `relay: NAME` may say. */
  readonly downstreams: readonly string[];
  /** Those of them that are Maildirs; none where it is left out. */
  readonly maildirs?: readonly string[];
  /** What rules remember between transactions; the rulebook does not close it. Its own where it is left out. */
  readonly ledger?: Ledger;
  /** The texts of list files that were last in force, also before a reload. Its own where it is left out. */
  readonly lastGood?: LastGood;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface OpenedRulebook {
  /** null if there is any error. */
  readonly rulebook: Rulebook | null;
  readonly diagnostics: readonly Diagnostic[];
  /** The text of each file that was read, to show diagnostics with. */
  readonly sources: ReadonlyMap<string, string>;
}

export interface CheckedLists {
  readonly files: readonly RulesFile[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface Rulebook {
  /** What applies to a recipient. Never throws and never rejects. */
  policyFor(forwardPath: Mailbox): Policy | Promise<Policy>;
  /** Runs the cases in the system's file. With any diagnostic these rules are not to be served by. */
  checkSystem(): Promise<readonly Diagnostic[]>;
  /**
   * Loads the files of all lists and runs their cases: the files as they are now, and all that is wrong with them. `progress`
   * is told of each file whose cases were run, by its number from 1, and how many there are.
   */
  checkAll(progress?: (done: number, of: number) => void): Promise<CheckedLists>;
  /** Every file as it is now, the system's first, and what is wrong with them but for their cases. */
  readAll(): CheckedLists;
  /** The system's file; null where there is none. */
  readonly system: RulesFile | null;
  /** Runs all cases of a file that loads, for recipients of other lists too. */
  test(file: RulesFile): Promise<readonly CaseResult[]>;
  /** What became of shadow rules since the rulebook was opened. */
  shadowCounts(): readonly ShadowCount[];
  /** How long rules took, from a sample, since the rulebook was opened. */
  ruleTimes(): readonly RuleTime[];
  close(): void;
}

/** Without lists the dialect still says which addresses are for bounces. */
const DEFAULT_DIALECT: Dialect = 'mailman';

/** Reads the system's file; the files of lists are read when they are needed. */
export function openRulebook(options: RulesOptions): OpenedRulebook {
  const { system, lists, may, downstreams, maildirs = [], log, now = Date.now } = options;
  const { ledger = memoryLedger({ now }), lastGood = rememberLastGood() } = options;
  const patterns = new PatternCache();
  const diagnostics: Diagnostic[] = may === undefined ? [] : [...checkNames(may, may.file)];
  const sources = new Map<string, string>();
  const shared = { downstreams, maildirs, patterns, ledger, now };
  const presets = options.presets ? openPresets(options.presets, shared) : null;
  const forLists = { ...shared, presets: presets?.presets ?? null, may: may ?? TIGHTEN_ONLY };
  let systemFile: { readonly file: string; readonly text: string; readonly loaded: LoadedRuleset } | null = null;
  if (system !== null) {
    const read = readText(system);
    diagnostics.push(...read.diagnostics);
    if (read.text !== null) {
      sources.set(system, read.text);
      const loaded = loadRuleset({ ...shared, file: system, text: read.text, scope: 'system', list: null });
      diagnostics.push(...loaded.diagnostics, ...checkSetFiles(loaded.setFiles));
      systemFile = { file: system, text: read.text, loaded };
    }
  }
  diagnostics.push(...(presets?.diagnostics ?? []));
  for (const [file, text] of presets?.sources ?? []) sources.set(file, text);
  if (lists !== null && !isFolder(lists.folder)) {
    const message = 'there is no such folder';
    diagnostics.push({ code: 'E_FILE', message, hint: 'make it, or take `lists` out', place: wholeFile(lists.folder) });
  }
  if (diagnostics.some((diagnostic) => !isWarning(diagnostic))) {
    patterns.close();
    return { rulebook: null, diagnostics, sources };
  }

  const dialect = lists?.dialect ?? DEFAULT_DIALECT;
  const layout = lists?.layout ?? PLAIN;
  const systemRules = systemFile?.loaded.ruleset ?? null;
  const runner = new CaseRunner({ system: systemFile, lists, dialect, load: forLists });
  /** What is wrong with a file beside its text. */
  const failuresOf = async (file: RulesFile) =>
    file.loaded.ruleset === null ? [] : caseDiagnostics(await runner.run(file, 'own'));
  const loadTested = async (file: string, text: string, list: string | null): Promise<LoadedRuleset> => {
    const loaded = loadRuleset({ ...forLists, file, text, scope: 'list', list, system: systemRules });
    if (loaded.ruleset === null || loaded.cases.length === 0) return loaded;
    const failures = await failuresOf(runner.load({ file, text, scope: 'list', list }));
    if (failures.length === 0) return loaded;
    return { ...loaded, ruleset: null, diagnostics: [...loaded.diagnostics, ...failures] };
  };
  const readLists = () => {
    const files: RulesFile[] = [];
    const read = (file: string, text: string, list: string | null): LoadedRuleset => {
      const one = runner.load({ file, text, scope: 'list', list });
      files.push(one);
      return one.loaded;
    };
    return { diagnostics: lists === null ? [] : checkListFolder({ ...lists, layout }, read), files };
  };
  const recent = new RecentPolicies();
  const listRulesets = new ListRulesets({ load: loadTested, lastGood, log, now, left: () => recent.clear() });
  const programs = new Programs(systemRules);
  const shadows = shadowCounter();
  const clock = new RuleClock();
  logOverdue(diagnostics, log);
  const filesOf = lists === null ? null : recentFiles(lists.folder, layout);
  /** null where the address has no file, and there is none for all of its domain. */
  const findRuleset = (filesOfList: ListFiles, list: string): Eventual<FoundRuleset | null> => {
    const { own, fallback } = filesOfList;
    const fallBack = (found: FoundRuleset | null): Eventual<FoundRuleset | null> => {
      const exists = found !== null && (found.ruleset !== null || found.unavailable !== null);
      if (exists || fallback === null) return found;
      const lookedAt = found?.lookedAt ?? Number.POSITIVE_INFINITY;
      return andThen(listRulesets.find(fallback, null), (instead) => ({
        ...instead,
        lookedAt: Math.min(lookedAt, instead.lookedAt),
      }));
    };
    const found: Eventual<FoundRuleset | null> = own === null ? null : listRulesets.find(own, list);
    return andThen(found, fallBack);
  };
  /** `list`: null for the system's rules alone, whatever files there are. */
  const policyOf = (address: ListAddress, list: FoundRuleset | null): Policy => {
    const program = programs.for(list?.ruleset ?? null, address.role);
    return {
      address,
      unavailable: list?.unavailable ?? null,
      start: (options = { trace: false }) => startEvaluation(program, log, options, shadows.count, clock.next()),
    };
  };
  const rulebook: Rulebook = {
    policyFor(forwardPath) {
      const known = recent.get(forwardPath);
      if (known !== undefined && (known.lookedAt === null || listRulesets.isTrusted(known.lookedAt)))
        return known.policy;
      const kept = keepable(forwardPath);
      const address = splitAddress(kept ?? forwardPath, dialect);
      // Rules of a list never see its bounces, so not even a file that does not load holds them up.
      const ofSystem = filesOf === null || address.role === 'bounces';
      return andThen(ofSystem ? null : findRuleset(filesOf(address.list), address.list), (found) => {
        const policy = policyOf(address, found);
        if (kept !== null) recent.set(kept, { policy, lookedAt: found?.lookedAt ?? null });
        return policy;
      });
    },
    async checkSystem() {
      const hasCases = systemFile !== null && systemFile.loaded.cases.length > 0;
      return hasCases && runner.system !== null ? failuresOf(runner.system) : [];
    },
    async checkAll(progress = () => {}) {
      const { files, diagnostics: found } = readLists();
      const all = [...found];
      for (const [index, file] of files.entries()) {
        all.push(...(await failuresOf(file)));
        progress(index + 1, files.length);
      }
      return { files, diagnostics: all };
    },
    readAll() {
      const { files, diagnostics: found } = readLists();
      return { files: runner.system === null ? files : [runner.system, ...files], diagnostics: found };
    },
    get system() {
      return runner.system;
    },
    test: (file) => runner.run(file, 'all'),
    shadowCounts: () => shadows.counts(),
    ruleTimes: () => clock.times(),
    close() {
      listRulesets.close();
      patterns.close();
    },
  };
  return { rulebook, diagnostics, sources };
}

/** Lists whose files are known by name; then all are forgotten. */
const MOST_NAMES = 10_000;

/** The files of a list by its address: with an MD5 on the way, to find the name costs more than to ask the rules. */
function recentFiles(folder: string, layout: Layout): (list: string) => ListFiles {
  const known = new Map<string, ListFiles>();
  return (list) => {
    const before = known.get(list);
    if (before !== undefined) return before;
    if (known.size >= MOST_NAMES) known.clear();
    const files = listFiles(folder, list, layout);
    known.set(list, files);
    return files;
  };
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
