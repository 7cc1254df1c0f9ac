/**
 * evaluate - rules and facts to a verdict, or `later`.
 *
 * Rules are asked in order. A rule that does not match is passed over; one that matches leaves its edits and, if it
 * decides, the verdict; one that cannot be answered yet stops the way, and there it goes on at the next phase. So no rule
 * overtakes another, and the verdict reached early is the one that asking everything at the end would give.
 *
 * A list's `relay` ends the rules of the list only: the system's last layer is asked all the same. Where a set cannot be
 * asked the recipient is deferred, never passed over and never refused for good.
 */
import { type ContentFacts, type Facts, isReached, type Truth } from '../core/facts.ts';
import type { Log } from '../core/log.ts';
import { replies, withId } from '../core/reply.ts';
import type { HeaderEdit, Verdict } from '../core/verdict.ts';
import type { Decision } from './action.ts';
import type { Evaluation } from './policy.ts';
import type { Program, Rule } from './ruleset.ts';
import { type TraceStep, traceRule } from './trace.ts';

type Progress = Verdict | 'later';
/** A verdict without who gave it and when. */
type Ruling =
  | Exclude<Decision, { readonly kind: 'relay' }>
  | { readonly kind: 'relay'; readonly downstream: string | null; readonly edits: readonly HeaderEdit[] };

export function startEvaluation(program: Program, log: Log, tracing: boolean): Evaluation {
  const edits: HeaderEdit[] = [];
  const trace: TraceStep[] = [];
  const asked: { readonly rule: Rule; readonly waits: boolean }[] = [];
  let next = 0;
  /** The rule of the list that relayed, for want of a later one that decides. */
  let relayed: Rule | null = null;
  let verdict: Verdict | null = null;

  function run(facts: Facts): Progress | Promise<Progress> {
    for (let rule = program.rules[next]; rule !== undefined; rule = program.rules[next]) {
      try {
        const truth = rule.clause.test(facts);
        if (typeof truth === 'object') return wait(rule, truth, facts);
        const progress = take(rule, truth, facts);
        if (progress !== null) return progress;
      } catch (error) {
        return fail(rule, facts, error);
      }
    }
    return conclude(relayed, facts, { kind: 'relay', downstream: null, edits });
  }

  async function wait(rule: Rule, pending: Promise<Truth>, facts: Facts): Promise<Progress> {
    try {
      const progress = take(rule, await pending, facts);
      if (progress !== null) return progress;
    } catch (error) {
      return fail(rule, facts, error);
    }
    return run(facts);
  }

  /** What a rule's answer comes to; null where the next rule is to be asked. */
  function take(rule: Rule, truth: Truth, facts: Facts): Progress | null {
    const waits = truth === true && !isReached(rule.phase, facts.phase);
    if (tracing) asked.push({ rule, waits });
    if (truth === 'later' || waits) return 'later';
    next += 1;
    if (!truth) return null;
    for (const edit of rule.edits) edits.push(edit(facts));
    if (rule.decide === null) return null;
    const decision = rule.decide(facts);
    if (decision.kind !== 'relay') return conclude(rule, facts, decision);
    if (rule.layer !== 'rules') return conclude(rule, facts, { ...decision, edits });
    relayed = rule;
    next = program.after;
    return null;
  }

  function fail(rule: Rule, facts: Facts, error: unknown): Verdict {
    const { id } = facts.transaction;
    if (tracing) asked.push({ rule, waits: false });
    log.error('rule', error, { id, list: facts.address.list, ruleset: rule.place.file, rule: rule.name });
    return conclude(rule, facts, { kind: 'defer', reply: withId(replies.policyUnavailable, id) });
  }

  function conclude(rule: Rule | null, { phase }: Facts, outcome: Ruling): Verdict {
    verdict = { ruleset: rule?.place.file ?? '', rule: rule?.name ?? null, phase, ...outcome };
    return verdict;
  }

  async function runTraced(facts: Facts): Promise<Progress> {
    const progress = await run(facts);
    for (const { rule, waits } of asked.splice(0)) trace.push(await traceRule(rule, facts, waits));
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

  return { accepted, advance: (facts) => verdict ?? (tracing ? runTraced(facts) : run(facts)), trace };
}
