import { InvalidScenario, parseScenario } from './document';

const head = ['scenario: a test', 'clock: 2026-03-01T00:00:00Z'];

function faultsOf(...lines: string[]): readonly string[] {
  try {
    parseScenario('file.yaml', [...head, ...lines].join('\n'));
    return [];
  } catch (error) {
    if (error instanceof InvalidScenario) return error.message.split('\n');
    throw error;
  }
}

describe('parseScenario', () => {
  it('reads a step with its lines, time and expectation', () => {
    const source = [
      ...head,
      'steps:',
      '  - grant: {customer: acme, unit: USD, amount: "1.00", key: g1}',
      '    after: 1h',
      '    expect: {status: 201}',
    ];
    const [step] = parseScenario('file.yaml', source.join('\n')).steps;
    expect(step).toMatchObject({
      line: 4,
      verb: 'grant',
      after: '1h',
      at: null,
      repeat: 1,
      expect: { status: 201 },
      expectLines: { status: 6 },
    });
    expect(step?.args).toEqual({ customer: 'acme', unit: 'USD', amount: '1.00', key: 'g1' });
  });

  it('keeps instants as text and `on` as a plain key', () => {
    const rules = '  notification_rules: [{key: low, on: balance, thresholds: [5]}]';
    const scenario = parseScenario('file.yaml', [...head, 'catalog:', rules].join('\n'));
    expect(scenario.clock).toBe('2026-03-01T00:00:00Z');
    expect(scenario.catalog.notification_rules[0]?.on).toBe('balance');
  });

  it.each([
    [['stepps: []'], 'file.yaml:3: stepps: is not known here; allowed: scenario, about, must_fail'],
    [['steps:', '  - gift: {}'], 'file.yaml:4: steps.0.gift: is neither a verb nor a key of a step'],
    [
      ['steps:', '  - grant: {customer: acme, unit: USD, amount: "1", key: g, colour: red}'],
      'file.yaml:4: steps.0.grant.colour: is not known here; allowed: customer, unit',
    ],
    [
      ['steps:', '  - budget: {customer: acme, feature: f, week: "5"}'],
      'file.yaml:4: steps.0.budget.week: is not known here; allowed: customer, feature, day, month, remove',
    ],
    [
      ['steps:', '  - request: {}', '    expect: {wallet: {}}'],
      'file.yaml:5: steps.0.expect.wallet: cannot be expected here',
    ],
    [
      ['steps:', '  - expect: {wallet: {customer: acme, colour: red}}'],
      'steps.0.expect.wallet.colour: is not known here; allowed: customer, unit, available',
    ],
    [
      ['steps:', '  - after: 3 days', '    expect: {}'],
      'file.yaml:4: steps.0.after: "3 days" is not a duration',
    ],
    [
      ['steps:', '  - pause: {customer: a}', '    resume: {customer: a}'],
      'a step has one verb; this one has pause, resume',
    ],
    [
      ['catalog:', '  meters:', '    - {key: m, event_type: t, aggregation: median}'],
      'file.yaml:5: catalog.meters.0.aggregation',
    ],
    [['customers: [{key: a, key: b}]'], 'yaml'],
  ])('refuses %j', (lines, message) => {
    expect(faultsOf(...lines).join('\n')).toContain(message);
  });

  it('reports every fault of a file at once', () => {
    expect(faultsOf('steps:', '  - gift: {}', '  - loan: {}')).toHaveLength(4);
  });
});
