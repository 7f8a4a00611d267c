import { describe, expect, it } from 'vitest';
import { parseInboxQuery, parseRichInboxQuery, parseRichOutboxQuery, unreadableContinueFrom } from './query.ts';
import { wireFailure } from './validation.ts';

const now = Date.UTC(2026, 10, 21, 5, 36, 40);
const dayMs = 86_400_000;

const readInbox = (count: string) => parseRichInboxQuery([['max_results', count]], now);
const readOutbox = (count: string) => parseRichOutboxQuery([['max_results', count]], now);

describe('the query of a rich listing', () => {
  it('is the last 30 days and 100 messages when nothing is asked', () => {
    const query = { startMs: now - 30 * dayMs, startText: undefined, maxResults: 100, continueFrom: undefined };
    expect(parseRichInboxQuery([], now)).toEqual({ ok: true, query });
    expect(parseRichOutboxQuery([], now)).toEqual({ ok: true, query });
  });

  it('of an inbox takes 1 to 2000 messages', () => {
    expect([readInbox('1'), readInbox('2000')]).toMatchObject([
      { query: { maxResults: 1 } },
      { query: { maxResults: 2000 } },
    ]);
    expect([readInbox('0').ok, readInbox('2001').ok]).toEqual([false, false]);
  });

  it('of an outbox takes what an inbox listing takes but returns no more than 100', () => {
    expect([readOutbox('10'), readOutbox('5000')]).toMatchObject([
      { query: { maxResults: 10 } },
      { query: { maxResults: 100 } },
    ]);
    expect([readOutbox('9').ok, readOutbox('5001').ok]).toEqual([false, false]);
  });

  it('reads a start time and keeps its text for the links', () => {
    const reading = parseRichInboxQuery([['start_time', '2026-11-20T00:00:00 00:00']], now);
    expect(reading).toMatchObject({
      query: { startMs: Date.UTC(2026, 10, 20), startText: '2026-11-20T00:00:00 00:00' },
    });
  });

  it('names every failing parameter in one answer', () => {
    const reading = parseRichInboxQuery(
      [
        ['start_time', 'x'],
        ['max_results', 'x'],
        ['continue_from', 'x'],
      ],
      now,
    );
    if (reading.ok) throw new Error('a query of nonsense was accepted');
    const { detail } = JSON.parse(wireFailure(reading.failure, 2).body) as { detail: { loc: string[] }[] };
    expect(detail.map(({ loc }) => loc[1])).toEqual(['start_time', 'max_results', 'continue_from']);
  });
});

describe('any query', () => {
  it('is read from a URLSearchParams as it stands', () => {
    const reading = parseInboxQuery(new URLSearchParams('max_results=10&workflow_filter=WF%2A'));
    expect(reading).toMatchObject({ query: { maxResults: 10, workflowFilter: { kind: 'begins', text: 'WF' } } });
  });

  it('that goes on from a token of another list is a validation error', () => {
    const answer = wireFailure(unreadableContinueFrom('x'.repeat(24)), 2);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ detail: [{ loc: ['query', 'continue_from'] }] });
  });
});
