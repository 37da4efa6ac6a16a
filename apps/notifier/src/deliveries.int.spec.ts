import { Rig } from './rig';
import { collection, lot, quota, scheduled } from './rig-facts';

const START = '2026-01-10T00:00:00Z';
const ANCHOR = '2026-01-07T00:00:00Z';
let rig: Rig;

beforeAll(async () => {
  rig = await Rig.start();
});
afterAll(() => rig.stop());

/** A notice that any customer gets. */
const noticed = (version: number, used = '100') => quota(rig.customerId, version, used);
const warned = () => scheduled(rig.customerId, ANCHOR, '2026-01-21T00:00:00Z');

describe('an SMTP server that is down', () => {
  afterEach(() => rig.smtp.up().catch(() => undefined));

  test('for a day: the mails wait, through a restart, and leave in the order in which they were said', async () => {
    await rig.given(START);
    await rig.smtp.down();
    await rig.hear(noticed(1, '50'));
    await rig.to('2026-01-10T20:00:00Z');
    await rig.hear(noticed(2, '80'));
    await rig.restart();
    await rig.to('2026-01-11T00:00:00Z');
    expect(rig.mails()).toEqual([]);
    await rig.smtp.up();
    await rig.to('2026-01-12T00:00:00Z');
    expect(rig.mails()).toEqual(['usage_threshold 50', 'usage_threshold 80']);
    expect(rig.outcomes()).toEqual([
      '01-11T05:21 delivered usage_threshold calls',
      '01-11T05:21 delivered usage_threshold calls',
    ]);
  });

  test('for a week: a notice is given up after more than three days, the warning of a suspension never', async () => {
    await rig.given(START);
    await rig.smtp.down();
    await rig.hear(noticed(1));
    await rig.to('2026-01-17T00:00:00Z');
    expect(rig.outcomes()).toEqual(['01-13T05:21 undeliverable usage_threshold calls']);
    await rig.hear(warned());
    await rig.to('2026-01-24T00:00:00Z');
    await rig.smtp.up();
    await rig.to('2026-01-25T00:00:00Z');
    expect(rig.outcomes().slice(1)).toEqual([`01-24T05:21 delivered suspension_scheduled ${ANCHOR}`]);
  });
});

describe('answers of the server', () => {
  test('4xx: tried again; the same Message-ID when it took the mail and broke off before saying so', async () => {
    await rig.given(START);
    let answers = 0;
    rig.smtp.answerWith(() => {
      answers += 1;
      if (answers === 1) return { code: 451, message: 'greylisted' };
      return answers === 2 ? 'accept-then-disconnect' : 'accept';
    });
    await rig.hear(noticed(1));
    await rig.to('2026-01-10T01:00:00Z');
    const ids = rig.smtp.mails.map(({ headers }) => headers['message-id']);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
    expect(rig.outcomes()).toEqual(['01-10T00:06 delivered usage_threshold calls']);
  });

  test('5xx: said once that it cannot be delivered, and what follows is not held up', async () => {
    await rig.given(START);
    rig.smtp.answerWith(({ headers }) =>
      headers['x-tallygate-threshold'] === '50' ? { code: 550, message: 'no such user' } : 'accept',
    );
    await rig.hear(noticed(1, '50'), noticed(2, '80'));
    await rig.to('2026-01-20T00:00:00Z');
    expect(rig.mails()).toEqual(['usage_threshold 80']);
    expect(rig.outcomes()).toEqual([
      '01-10T00:00 undeliverable usage_threshold calls',
      '01-10T00:00 delivered usage_threshold calls',
    ]);
  });
});

describe('the warning before a suspension', () => {
  test('delivered is published once, about its anchor, whatever comes twice', async () => {
    await rig.given(START);
    const id = '00000000-0000-7000-8000-0000000000d1';
    await rig.say(warned(), START, id);
    await rig.say(warned(), START, id);
    await rig.settle();
    await rig.restart();
    await rig.say(warned(), START, id);
    await rig.settle();
    expect(rig.mails()).toEqual([`suspension_scheduled ${ANCHOR}`]);
    expect(rig.outcomes()).toEqual([`01-10T00:00 delivered suspension_scheduled ${ANCHOR}`]);
  });

  test('with no address it is undeliverable; an address that comes later gets it', async () => {
    await rig.given(START, { email: null });
    await rig.hear(collection(rig.customerId, 1, 'grace', ANCHOR), warned());
    await rig.to('2026-01-15T00:00:00Z');
    await rig.customer({ email: 'new@acme.example' });
    await rig.customer({ email: 'new@acme.example', name: 'Acme' });
    await rig.settle();
    expect(rig.smtp.mails.map(({ to }) => to)).toEqual([['new@acme.example']]);
    expect(rig.outcomes()).toEqual([
      `01-10T00:00 undeliverable suspension_scheduled ${ANCHOR}`,
      `01-15T00:00 delivered suspension_scheduled ${ANCHOR}`,
    ]);
  });

  test('an address that no server takes is undeliverable until it is put right', async () => {
    await rig.given(START);
    rig.smtp.answerWith(({ to }) =>
      to.includes('a@acme.example') ? { code: 550, message: 'no such user' } : 'accept',
    );
    await rig.hear(collection(rig.customerId, 1, 'grace', ANCHOR), warned());
    await rig.customer({ email: 'right@acme.example' });
    await rig.settle();
    expect(rig.outcomes().map((one) => one.split(' ')[1])).toEqual(['undeliverable', 'delivered']);
  });

  test('paid while the server was down: kept back; owed again: sent', async () => {
    await rig.given(START);
    await rig.smtp.down();
    await rig.hear(collection(rig.customerId, 1, 'grace', ANCHOR), warned());
    await rig.hear(collection(rig.customerId, 2, 'current', null));
    await rig.smtp.up();
    await rig.to('2026-01-13T00:00:00Z');
    expect(rig.mails()).toEqual([]);
    await rig.hear(collection(rig.customerId, 3, 'grace', ANCHOR));
    expect(rig.mails()).toEqual([`suspension_scheduled ${ANCHOR}`]);
  });

  test('settled, and owed again at the same age: a new announcement is a new warning', async () => {
    await rig.given(START);
    await rig.hear(warned());
    await rig.hear(warned());
    expect(rig.mails()).toHaveLength(2);
  });
});

test('facts of one customer from three topics at once, with the sweeps: no deadlock, every notice once', async () => {
  await rig.given(START);
  const facts = Array.from({ length: 20 }, (_, index) => [
    noticed(index + 1, String(index * 5 + 5)),
    lot(rig.customerId, index + 1),
    collection(rig.customerId, index + 1, index % 2 === 0 ? 'suspended' : 'current', ANCHOR),
    warned(),
  ]).flat();
  await Promise.all(facts.flatMap((fact) => [rig.say(fact), rig.settle()]));
  await rig.customer({ name: 'Acme' });
  await rig.settle();
  const said = await rig.notices();
  expect(said.filter((one) => one.includes('usage_threshold 100'))).toHaveLength(1);
  expect(said.filter((one) => one.includes('suspension_scheduled'))).toHaveLength(20);
  expect(rig.mails()).toEqual(said.map((one) => one.slice('01-10T00:00 '.length)));
});

test('what a mail carries: the link first, headers for filing, unsubscribe for what is optional, all escaped', async () => {
  await rig.given(START);
  await rig.hear(quota(rig.customerId, 1, '80', { feature: 'a<b' }), warned());
  const [optional, needed] = rig.smtp.mails;
  expect(optional).toMatchObject({
    to: ['a@acme.example'],
    from: 'billing@example.test',
    headers: {
      'x-tallygate-tenant': rig.tenantId,
      'x-tallygate-customer': 'acme',
      'x-tallygate-kind': 'usage_threshold',
      'x-tallygate-subject': 'a<b',
      'x-tallygate-threshold': '80',
      'x-tallygate-at': START,
      'list-unsubscribe':
        '<https://portal.example/notifications?customer=acme>, <mailto:billing@example.test?subject=unsubscribe>',
    },
  });
  expect(optional?.text.startsWith('See your usage: https://portal.example/usage?customer=acme')).toBe(true);
  expect(optional?.html).toContain('a&lt;b');
  expect(optional?.html).toContain('Example &lt;Inc&gt;');
  expect(needed?.headers['list-unsubscribe']).toBeUndefined();
});
