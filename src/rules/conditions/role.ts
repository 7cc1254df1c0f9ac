/**
 * role - asks what the recipient's address is for: the posting address, or one of those that a list has besides.
 *
 * For rules of the system whose `roles:` are several; a rule that is meant for some roles only says so there.
 */
import { z } from 'zod';
import { ROLES } from '../../core/facts.ts';
import { listOf } from '../../yaml/scalar.ts';
import { defineCondition } from '../condition.ts';

const OWNER = { to: 'gardeners-owner@lists.example.org' };

export const role = defineCondition({
  name: 'role',
  summary:
    "Asks which of the list's addresses the recipient is: post, owner, request, join, leave, confirm or bounces.",
  reference: 'RFC 2142 section 6',
  phase: 'envelope',
  systemOnly: true,
  argument: listOf(z.enum(ROLES)),
  examples: [
    { argument: 'post', given: {}, expect: true },
    { argument: 'post', given: OWNER, expect: false },
    { argument: '[owner, request]', given: OWNER, expect: true },
  ],
  compile(roles) {
    const wanted = new Set(roles);
    return ({ address }) => wanted.has(address.role);
  },
  saw: ({ address }) => address.role,
});
