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
import { type Answers, type ContentFacts, type Facts, isReached, type Truth } from '../core/facts.ts';
import type { Log } from '../core/log.ts';
import { type Mailbox, sameMailbox } from '../core/mailbox.ts';
import { replies, withId } from '../core/reply.ts';
import type { Copy, HeaderEdit, Remarks, Verdict } from '../core/verdict.ts';
import type { Decision, Mark } from './action.ts';
import { TooCostly } from './pattern.ts';
import type { Evaluation } from './policy.ts';
import type { Program, Rule } from './ruleset.ts';
import { type TraceStep, traceRule } from './trace.ts';

type Progress = Verdict | 'later';
/** A verdict without who gave it and when. */
type Ruling = Bare<Verdict>;
type Bare<V> = V extends Verdict ? Omit<V, 'ruleset' | 'rule' | 'phase' | keyof Remarks> : never;

/** `count` is told the answer of each shadow rule. */
export function startEvaluation(
  program: Program,
  log: Log,
  tracing: boolean,
  count: (rule: Rule, matched: boolean) => void = () => {},
): Evaluation {
  const edits: HeaderEdit[] = [];
  const copies: Copy[] = [];
  const notes: string[] = [];
  const trace: TraceStep[] = [];
  const asked: { readonly rule: Rule; readonly waits: boolean; readonly sum: number | null }[] = [];
  /** Shadow rules come past and not answered yet. */
  const passed: { readonly rule: Rule; readonly sum: number | null }[] = [];
  const shadows: string[] = [];
  /** Of their own, so that what their patterns cost is not charged to the rules that decide. */
  const answersOfShadows: Answers = new Map();
  let next = 0;
  /** The rule of the list that relayed, for want of a later one that decides. */
  let relayed: Rule | null = null;
  let redirected: Mailbox | null = null;
  let verdict: Verdict | null = null;

  function run(facts: Facts): Progress | Promise<Progress> {
    for (let rule = program.rules[next]; rule !== undefined; rule = program.rules[next]) {
      if (rule.shadow) {
        passed.push({ rule, sum: facts.score.sum });
        next += 1;
        continue;
      }
      try {
        const truth = rule.clause.test(facts);
        if (typeof truth === 'object') return wait(rule, truth, facts);
        const progress = take(rule, truth, facts);
        if (progress !== null) return progress;
      } catch (error) {
        const progress = fail(rule, facts, error);
        if (progress !== null) return progress;
      }
    }
    return conclude(relayed, facts, sendOn(null));
  }

  async function wait(rule: Rule, pending: Promise<Truth>, facts: Facts): Promise<Progress> {
    try {
      const progress = take(rule, await pending, facts);
      if (progress !== null) return progress;
    } catch (error) {
      const progress = fail(rule, facts, error);
      if (progress !== null) return progress;
    }
    return run(facts);
  }

  /** What a rule's answer comes to; null where the next rule is to be asked. */
  function take(rule: Rule, truth: Truth, facts: Facts): Progress | null {
    const waits = truth === true && !isReached(rule.phase, facts.phase);
    if (tracing) asked.push({ rule, waits, sum: facts.score.sum });
    if (truth === 'later' || waits) return 'later';
    next += 1;
    if (!truth) return null;
    for (const mark of rule.marks) leave(mark, facts);
    if (rule.decide === null) return null;
    const decision = rule.decide(facts);
    if (decision.kind === 'redirect') redirected = decision.to;
    else if (decision.kind === 'relay') edits.push(...(decision.edits ?? []));
    else return conclude(rule, facts, rulingOf(decision));
    const downstream = decision.kind === 'relay' ? decision.downstream : null;
    if (rule.layer !== 'rules') return conclude(rule, facts, sendOn(downstream));
    relayed = rule;
    next = program.after;
    return null;
  }

  function leave(mark: Mark, facts: Facts): void {
    switch (mark.kind) {
      case 'edit':
        edits.push(mark.edit(facts));
        break;
      case 'note':
        notes.push(mark.note(facts));
        break;
      case 'copy':
        if (!copies.some(({ to }) => sameMailbox(to, mark.to))) copies.push({ to: mark.to, edits: [...edits] });
        break;
      case 'score':
        facts.score.sum = addScore(facts.score.sum ?? 0, mark.points);
    }
  }

  function sendOn(downstream: string | null): Ruling {
    const how = { downstream, edits, ...alsoTo() };
    return redirected === null ? { kind: 'relay', ...how } : { kind: 'redirect', to: redirected, ...how };
  }

  function rulingOf(decision: Exclude<Decision, { readonly kind: 'relay' | 'redirect' }>): Ruling {
    switch (decision.kind) {
      case 'quarantine':
        return { ...decision, edits, ...alsoTo() };
      case 'discard':
        return { ...decision, ...alsoTo() };
      default:
        return decision;
    }
  }

  function alsoTo(): { readonly copies?: readonly Copy[] } {
    return copies.length > 0 ? { copies } : {};
  }

  /** What becomes of a rule that cannot be answered; null where it is set aside and the next one is to be asked. */
  function fail(rule: Rule, facts: Facts, error: unknown): Verdict | null {
    const { id } = facts.transaction;
    if (tracing) asked.push({ rule, waits: false, sum: facts.score.sum });
    const where = { id, list: facts.address.list, ruleset: rule.place.file, rule: rule.name };
    if (error instanceof TooCostly) log.warn('rule-too-costly', { ...where, becomes: rule.ifTooCostly });
    else log.error('rule', error, where);
    if (error instanceof TooCostly && rule.ifTooCostly === 'skip') {
      next += 1;
      return null;
    }
    return conclude(rule, facts, { kind: 'defer', reply: withId(replies.policyUnavailable, id) });
  }

  function conclude(rule: Rule | null, { phase, score: { sum } }: Facts, outcome: Ruling): Verdict {
    const remarks: Remarks = { ...(notes.length > 0 ? { notes } : {}), ...(sum === null ? {} : { score: sum }) };
    verdict = { ruleset: rule?.place.file ?? '', rule: rule?.name ?? null, phase, ...remarks, ...outcome };
    return verdict;
  }

  async function runTraced(facts: Facts): Promise<Progress> {
    const progress = await run(facts);
    // What a rule saw is shown as it saw it, though rules behind it have scored since.
    for (const { rule, waits, sum } of asked.splice(0))
      trace.push(await traceRule(rule, { ...facts, score: { sum } }, waits));
    return progress;
  }

  /** Whether it is answered. */
  async function askShadow(rule: Rule, facts: Facts): Promise<boolean> {
    try {
      const truth = await rule.clause.test(facts);
      if (tracing) trace.push(await traceRule(rule, facts, false));
      if (truth === 'later') return false;
      count(rule, truth);
      if (truth && rule.decide !== null) shadows.push(rule.name);
    } catch (error) {
      const { id } = facts.transaction;
      const where = { id, list: facts.address.list, ruleset: rule.place.file, rule: rule.name };
      if (error instanceof TooCostly) log.warn('rule-too-costly', { ...where, becomes: 'skip' });
      else log.error('shadow-rule', error, where);
    }
    return true;
  }

  async function runWithShadows(facts: Facts): Promise<Progress> {
    const progress = verdict ?? (await proceed(facts));
    for (const one of passed.splice(0)) {
      // It asks the score as it was when it was come past: a rule behind it cannot change its answer.
      if (!(await askShadow(one.rule, { ...facts, answers: answersOfShadows, score: { sum: one.sum } })))
        passed.push(one);
    }
    return progress;
  }

  function accepted(facts: ContentFacts): void | Promise<void> {
    return program.accepted.length === 0 ? undefined : tellAccepted(facts);
  }

  async function tellAccepted(facts: ContentFacts): Promise<void> {
    for (const tell of program.accepted) {
      try {
        await tell(facts);
      } catch (error) {
        log.error('not-remembered', error, { id: facts.transaction.id, list: facts.address.list });
      }
    }
  }

  const proceed = tracing ? runTraced : run;
  return {
    accepted,
    advance: (facts) => (program.shadows ? runWithShadows(facts) : (verdict ?? proceed(facts))),
    get undecided() {
      return verdict === null ? program.rules.slice(next) : [];
    },
    get pending() {
      return passed.length > 0;
    },
    shadows,
    trace,
  };
}

/** Sums of decimal fractions as people expect them: 0.7 and 0.1 are at least 0.8. */
function addScore(sum: number, points: number): number {
  return Math.round((sum + points) * 1e6) / 1e6;
}
