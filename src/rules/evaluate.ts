/**
 * evaluate - rules and facts to a verdict, or `later`.
 *
 * Rules are asked in order. A rule that does not match is passed over; one that matches leaves its marks and, if it
 * decides, the verdict; one that cannot be answered yet stops the way, and there it goes on at the next phase. So no rule
 * overtakes another, and the verdict reached early is the one that asking everything at the end would give.
 *
 * A list's `relay` or `redirect` ends the rules of the list only: the system's last layer is asked all the same. Where a set cannot be
 * asked the recipient is deferred, never passed over and never refused for good.
 *
 * A shadow rule is asked where the others come past it, and holds nobody up: what it cannot answer yet it is asked at the
 * next phase, if there is one, though the verdict be there.
 */
import { Answers, type ContentFacts, type Facts, isReached, type Truth } from '../core/facts.ts';
import type { Log } from '../core/log.ts';
import { type Mailbox, sameMailbox } from '../core/mailbox.ts';
import { replies, withId } from '../core/reply.ts';
import type { Copy, HeaderEdit, Remarks, Verdict } from '../core/verdict.ts';
import type { Decision, Mark } from './action.ts';
import { TooCostly } from './pattern.ts';
import type { Evaluation, RuledOut, StartOptions } from './policy.ts';
import type { Program } from './program.ts';
import type { Timing } from './rule-clock.ts';
import type { Rule } from './ruleset.ts';
import { type TraceStep, traceRule } from './trace.ts';

type Progress = Verdict | 'later';
/** A verdict without who gave it and when. */
type Ruling = Bare<Verdict>;
type Bare<V> = V extends Verdict ? Omit<V, 'ruleset' | 'rule' | 'phase' | keyof Remarks> : never;

/** `count` is told the answer of each shadow rule; `timing` asks in our place, where this evaluation is measured. */
export function startEvaluation(
  program: Program,
  log: Log,
  options: StartOptions,
  count: (rule: Rule, matched: boolean) => void = () => {},
  timing: Timing = null,
): Evaluation {
  return new ProgramEvaluation(program, log, options, count, timing);
}

interface Asked {
  readonly rule: Rule;
  readonly waits: boolean;
  readonly facts: Facts;
}

interface ShadowCourse {
  /** Of their own, so that what their patterns cost is not charged to the rules that decide. */
  readonly answers: Answers;
  /** Come past and not answered yet; `sum`: the score as it was then. */
  readonly passed: { readonly rule: Rule; readonly sum: number | null }[];
  /** The names of those that would have decided. */
  readonly matched: string[];
}

const NONE: readonly never[] = [];

// A class, because an object with closures and getters of its own costs more than most rules do.
class ProgramEvaluation implements Evaluation {
  readonly #program: Program;
  readonly #log: Log;
  /** For the trace: each rule that was asked, with what was known then; null where there will be none. */
  readonly #asked: Asked[] | null;
  readonly #count: (rule: Rule, matched: boolean) => void;
  readonly #timing: Timing;
  // What most evaluations have none of is one empty array for all of them.
  #edits: readonly HeaderEdit[] = NONE;
  #copies: readonly Copy[] = NONE;
  #notes: readonly string[] = NONE;
  readonly #ruledOut: RuledOut | null;
  /** null where there are no shadow rules. */
  readonly #shadow: ShadowCourse | null;
  #next = 0;
  /** The rule of the list that relayed, for want of a later one that decides. */
  #relayed: Rule | null = null;
  #redirected: Mailbox | null = null;
  #verdict: Verdict | null = null;

  constructor(
    program: Program,
    log: Log,
    { trace, ruledOut }: StartOptions,
    count: (rule: Rule, matched: boolean) => void,
    timing: Timing,
  ) {
    this.#program = program;
    this.#log = log;
    this.#asked = trace ? [] : null;
    // A trace shows the rules that do not match too.
    this.#ruledOut = (trace ? null : ruledOut) ?? null;
    this.#count = count;
    this.#timing = timing;
    this.#shadow = program.shadows ? { answers: new Answers(), passed: [], matched: [] } : null;
  }

  get undecided(): readonly Rule[] {
    return this.#verdict === null ? this.#program.rules.slice(this.#next) : [];
  }

  get redirected(): Mailbox | null {
    return this.#redirected;
  }

  get pending(): boolean {
    return this.#shadow !== null && this.#shadow.passed.length > 0;
  }

  get shadows(): readonly string[] {
    return this.#shadow?.matched ?? NONE;
  }

  advance(facts: Facts): Progress | Promise<Progress> {
    return this.#shadow === null ? (this.#verdict ?? this.#run(facts)) : this.#runWithShadows(facts, this.#shadow);
  }

  accepted(facts: ContentFacts): void | Promise<void> {
    return this.#program.accepted.length === 0 ? undefined : this.#tellAccepted(facts);
  }

  async trace(): Promise<readonly TraceStep[]> {
    const steps: TraceStep[] = [];
    for (const { rule, waits, facts } of this.#asked ?? []) steps.push(await traceRule(rule, facts, waits));
    return steps;
  }

  #run(facts: Facts): Progress | Promise<Progress> {
    const { rules } = this.#program;
    // A trace shows the rules that do not match too.
    const open = this.#asked === null ? (this.#program.sift?.(facts) ?? null) : null;
    let seen = 0;
    for (;;) {
      if (open !== null) {
        while (seen < open.length && (open[seen] as number) < this.#next) seen += 1;
        this.#next = seen < open.length ? (open[seen] as number) : rules.length;
      }
      const rule = rules[this.#next];
      if (rule === undefined) break;
      if (this.#ruledOut?.has(rule) === true) {
        this.#next += 1;
        continue;
      }
      if (rule.shadow) {
        this.#shadow?.passed.push({ rule, sum: facts.score.sum });
        this.#next += 1;
        continue;
      }
      try {
        const truth = this.#timing === null ? rule.clause.test(facts) : this.#timing(rule, facts);
        if (typeof truth === 'object') return this.#wait(rule, truth, facts);
        const progress = this.#take(rule, truth, facts);
        if (progress !== null) return progress;
      } catch (error) {
        const progress = this.#fail(rule, facts, error);
        if (progress !== null) return progress;
      }
    }
    return this.#conclude(this.#relayed, facts, this.#sendOn(null));
  }

  async #wait(rule: Rule, pending: Promise<Truth>, facts: Facts): Promise<Progress> {
    try {
      const progress = this.#take(rule, await pending, facts);
      if (progress !== null) return progress;
    } catch (error) {
      const progress = this.#fail(rule, facts, error);
      if (progress !== null) return progress;
    }
    return this.#run(facts);
  }

  /** What a rule's answer comes to; null where the next rule is to be asked. */
  #take(rule: Rule, truth: Truth, facts: Facts): Progress | null {
    const waits = truth === true && !isReached(rule.phase, facts.phase);
    this.#asked?.push({ rule, waits, facts: asOfNow(facts) });
    if (truth === 'later' || waits) return 'later';
    this.#next += 1;
    if (!truth) {
      if (rule.clause.ofMessage) this.#ruledOut?.add(rule);
      return null;
    }
    for (const mark of rule.marks) this.#leave(mark, facts);
    if (rule.decide === null) return null;
    const decision = rule.decide(facts);
    if (decision.kind === 'redirect') this.#redirected = decision.to;
    else if (decision.kind === 'relay') this.#edits = [...this.#edits, ...(decision.edits ?? [])];
    else return this.#conclude(rule, facts, this.#rulingOf(decision));
    const downstream = decision.kind === 'relay' ? decision.downstream : null;
    if (rule.layer !== 'rules') return this.#conclude(rule, facts, this.#sendOn(downstream));
    this.#relayed = rule;
    this.#next = this.#program.after;
    return null;
  }

  #leave(mark: Mark, facts: Facts): void {
    switch (mark.kind) {
      case 'edit':
        this.#edits = [...this.#edits, mark.edit(facts)];
        break;
      case 'note':
        this.#notes = [...this.#notes, mark.note(facts)];
        break;
      case 'copy':
        if (!this.#copies.some(({ to }) => sameMailbox(to, mark.to)))
          this.#copies = [...this.#copies, { to: mark.to, edits: this.#edits }];
        break;
      case 'score':
        facts.score.sum = addScore(facts.score.sum ?? 0, mark.points);
    }
  }

  #sendOn(downstream: string | null): Ruling {
    const edits = this.#edits;
    if (this.#redirected !== null) {
      return { kind: 'redirect', to: this.#redirected, downstream, edits, ...this.#alsoTo() };
    }
    if (this.#copies.length === 0) return { kind: 'relay', downstream, edits };
    return { kind: 'relay', downstream, edits, copies: this.#copies };
  }

  #rulingOf(decision: Exclude<Decision, { readonly kind: 'relay' | 'redirect' }>): Ruling {
    switch (decision.kind) {
      case 'quarantine':
        return { ...decision, edits: this.#edits, ...this.#alsoTo() };
      case 'discard':
        return { ...decision, ...this.#alsoTo() };
      default:
        return decision;
    }
  }

  #alsoTo(): { readonly copies?: readonly Copy[] } {
    return this.#copies.length > 0 ? { copies: this.#copies } : {};
  }

  /** What becomes of a rule that cannot be answered; null where it is set aside and the next one is to be asked. */
  #fail(rule: Rule, facts: Facts, error: unknown): Verdict | null {
    const { id } = facts.transaction;
    this.#asked?.push({ rule, waits: false, facts: asOfNow(facts) });
    const where = { id, list: facts.address.list, ruleset: rule.place.file, rule: rule.name };
    if (error instanceof TooCostly) this.#log.warn('rule-too-costly', { ...where, becomes: rule.ifTooCostly });
    else this.#log.error('rule', error, where);
    if (error instanceof TooCostly && rule.ifTooCostly === 'skip') {
      this.#next += 1;
      return null;
    }
    return this.#conclude(rule, facts, { kind: 'defer', reply: withId(replies.policyUnavailable, id) });
  }

  #conclude(rule: Rule | null, { phase, score: { sum } }: Facts, outcome: Ruling): Verdict {
    const notes = this.#notes;
    const ruleset = rule?.place.file ?? '';
    const name = rule?.name ?? null;
    if (outcome.kind === 'relay' && notes.length === 0 && sum === null && outcome.copies === undefined) {
      // Most verdicts are this one: it is spelled out, because to spread objects is slow.
      const { kind, downstream, edits } = outcome;
      this.#verdict = { ruleset, rule: name, phase, kind, downstream, edits };
      return this.#verdict;
    }
    const by = { ruleset, rule: name, phase };
    const remarks: Remarks = { ...(notes.length > 0 ? { notes } : {}), ...(sum === null ? {} : { score: sum }) };
    this.#verdict = { ...by, ...remarks, ...outcome };
    return this.#verdict;
  }

  /** Whether it is answered. */
  async #askShadow(rule: Rule, facts: Facts, matched: string[]): Promise<boolean> {
    try {
      const truth = await rule.clause.test(facts);
      this.#asked?.push({ rule, waits: false, facts: asOfNow(facts) });
      if (truth === 'later') return false;
      this.#count(rule, truth);
      if (truth && rule.decide !== null) matched.push(rule.name);
    } catch (error) {
      const { id } = facts.transaction;
      const where = { id, list: facts.address.list, ruleset: rule.place.file, rule: rule.name };
      if (error instanceof TooCostly) this.#log.warn('rule-too-costly', { ...where, becomes: 'skip' });
      else this.#log.error('shadow-rule', error, where);
    }
    return true;
  }

  async #runWithShadows(facts: Facts, { answers, passed, matched }: ShadowCourse): Promise<Progress> {
    const progress = this.#verdict ?? (await this.#run(facts));
    for (const one of passed.splice(0)) {
      // It asks the score as it was when it was come past: a rule behind it cannot change its answer.
      const asked = { ...facts, answers, score: { sum: one.sum } };
      if (!(await this.#askShadow(one.rule, asked, matched))) passed.push(one);
    }
    return progress;
  }

  async #tellAccepted(facts: ContentFacts): Promise<void> {
    for (const tell of this.#program.accepted) {
      try {
        await tell(facts);
      } catch (error) {
        this.#log.error('not-remembered', error, { id: facts.transaction.id, list: facts.address.list });
      }
    }
  }
}

/** What a rule saw is shown as it saw it, though rules have scored and recipients were named since. */
function asOfNow(facts: Facts): Facts {
  const { recipients, lists } = facts.addressees;
  return {
    ...facts,
    score: { sum: facts.score.sum },
    addressees: { recipients: new Set(recipients), lists: new Set(lists) },
  };
}

/** Sums of decimal fractions as people expect them: 0.7 and 0.1 are at least 0.8. */
function addScore(sum: number, points: number): number {
  return Math.round((sum + points) * 1e6) / 1e6;
}
