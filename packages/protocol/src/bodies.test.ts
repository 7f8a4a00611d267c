import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inboxListBody, richLinks } from './bodies.ts';
import { type MailboxId, parseMailboxId } from './identifiers.ts';
import { parseInboxQuery } from './query.ts';

const mailboxId = parseMailboxId('X26ABC2') as MailboxId;

describe('the links of a listing', () => {
  it('ask for the same page again when they are followed, whatever the filter and the token hold', () => {
    const filters = fc.string({ unit: 'grapheme', minLength: 2, maxLength: 20 });
    const tokens = fc.string({ unit: 'grapheme-ascii', minLength: 24, maxLength: 60 });
    fc.assert(
      fc.property(filters, tokens, fc.integer({ min: 10, max: 5000 }), (workflowFilterText, nextToken, maxResults) => {
        const view = { mailboxId, messages: [], maxResults, workflowFilterText, nextToken, approximateCount: 0 };
        const { links } = JSON.parse(inboxListBody(view, 2).body) as { links: { self: string; next: string } };
        expect(links.next).toMatch(/^\/messageexchange\/X26ABC2\/inbox\?[A-Za-z0-9\-_.~%&=]+$/);
        const followed = parseInboxQuery(new URL(links.next, 'https://localhost').searchParams);
        const expected = { maxResults, workflowFilterText, continueFrom: nextToken };
        expect(followed).toMatchObject({ ok: true, query: expected });
      }),
    );
  });

  it('are written even for a filter that is not well-formed Unicode', () => {
    const view = { mailboxId, messages: [], maxResults: 500, nextToken: undefined, approximateCount: 0 };
    expect(inboxListBody({ ...view, workflowFilterText: 'a\ud800' }, 2).body).toContain('workflow_filter=a%EF%BF%BD');
  });

  it('of a rich listing name its box and what was asked', () => {
    const view = { mailboxId, box: 'inbox', startText: '2026-11-20', maxResults: 1, nextToken: 'a b' } as const;
    expect(richLinks(view)).toEqual({
      self: '/messageexchange/X26ABC2/inbox/rich?start_time=2026-11-20&max_results=1',
      next: '/messageexchange/X26ABC2/inbox/rich?start_time=2026-11-20&max_results=1&continue_from=a%20b',
    });
    expect(richLinks({ ...view, box: 'outbox', startText: undefined, maxResults: 100, nextToken: undefined })).toEqual({
      self: '/messageexchange/X26ABC2/outbox/rich',
    });
  });
});
