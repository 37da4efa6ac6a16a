import type { z } from 'zod';
import { MissingServers } from '../health/require-servers';
import { bootstrapOrExit } from './bootstrap-or-exit';
import { ConfigError, loadConfig } from './config';
import { kafkaConfig, platformConfig, redisConfig } from './fields';

const GOOD = {
  DATABASE_URL: 'postgres://user:hunter2@db:5432/tallygate',
  DATABASE_ROLE_SECRET: 'a'.repeat(32),
  INTERNAL_SECRET: 'b'.repeat(32),
  ROOT_KEY: 'c'.repeat(32),
};

function problemsOf(schema: z.ZodType, env: Record<string, string | undefined>) {
  try {
    loadConfig(schema, env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('configuration', () => {
  it('is parsed once, with defaults, and ignores what it does not know', () => {
    expect(loadConfig(platformConfig, { ...GOOD, PORT: '8080', PATH: '/bin' })).toMatchObject({
      PORT: 8080,
      HOST: '127.0.0.1',
      LOG_LEVEL: 'info',
    });
  });

  it('takes an empty variable as not set', () => {
    expect(loadConfig(platformConfig, { ...GOOD, PORT: '', OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toMatchObject({
      PORT: 0,
    });
  });

  it('reports every problem together, each with its fix', () => {
    const problems = problemsOf(platformConfig, {
      PORT: '99999',
      LOG_LEVEL: 'loud',
      DATABASE_URL: 'mysql://root:pw@x/y',
      INTERNAL_SECRET: 'short',
    });
    expect(problems.map((one) => one.variable).sort()).toEqual([
      'DATABASE_ROLE_SECRET',
      'DATABASE_URL',
      'INTERNAL_SECRET',
      'LOG_LEVEL',
      'PORT',
      'ROOT_KEY',
    ]);
    expect(problems.every((one) => one.fix.length > 10)).toBe(true);
    expect(problems.find((one) => one.variable === 'PORT')).toEqual({
      variable: 'PORT',
      value: '99999',
      problem: 'is above 65535',
      fix: 'use a number from 0 to 65535; 0 takes a free port',
    });
    expect(problems.find((one) => one.variable === 'ROOT_KEY')).toMatchObject({
      value: null,
      problem: 'is required',
    });
  });

  it.each([
    ['a secret', 'INTERNAL_SECRET', 'short', '***'],
    ['the password in a URL', 'DATABASE_URL', 'mysql://root:hunter2@x/y', 'mysql://root:***@x/y'],
  ])('never shows %s', (_, variable, given, shown) => {
    expect(problemsOf(platformConfig, { ...GOOD, [variable]: given })).toMatchObject([
      { variable, value: shown },
    ]);
  });

  it.each([
    [kafkaConfig, 'KAFKA_BROKERS', 'localhost', 'is not a list of host:port'],
    [kafkaConfig, 'KAFKA_BROKERS', 'a:1, ,b:2', 'is not a list of host:port'],
    [redisConfig, 'REDIS_URL', 'http://x', 'is not a redis or rediss URL'],
  ])('refuses %# %s=%s', (schema, variable, given, problem) => {
    expect(problemsOf(schema, { [variable]: given })).toMatchObject([{ variable, problem }]);
  });

  it('reads a list of brokers', () => {
    expect(loadConfig(kafkaConfig, { KAFKA_BROKERS: 'a:9092, b:9093' })).toMatchObject({
      KAFKA_BROKERS: ['a:9092', 'b:9093'],
    });
  });
});

describe('bootstrapOrExit', () => {
  async function outcome(main: () => Promise<void>) {
    const lines: string[] = [];
    const codes: number[] = [];
    await bootstrapOrExit(main, { exit: (code) => codes.push(code), print: (line) => lines.push(line) });
    return { text: lines.join('\n'), codes };
  }

  it('ends with 2 and every problem when the configuration is wrong', async () => {
    const { text, codes } = await outcome(async () => void loadConfig(platformConfig, {}));
    expect(codes).toEqual([2]);
    for (const variable of Object.keys(GOOD)) expect(text).toContain(variable);
  });

  it('ends with 1 and the reason when it could not start', async () => {
    const { text, codes } = await outcome(async () => Promise.reject(new Error('no database at db:5432')));
    expect(codes).toEqual([1]);
    expect(text).toContain('no database at db:5432');
  });

  it('ends with 1 and names each server that is missing, where it was looked for and how to start it', async () => {
    const kafka = { name: 'Kafka', where: 'db:9092', problem: 'ECONNREFUSED', start: 'start Kafka' };
    const { text, codes } = await outcome(async () => Promise.reject(new MissingServers([kafka])));
    expect(codes).toEqual([1]);
    expect(text.split('\n')).toEqual([
      'Could not start, because this is missing:',
      '  Kafka: not found at db:9092 (ECONNREFUSED). Fix: start Kafka',
    ]);
  });

  it('leaves a process that started alone', async () => {
    expect((await outcome(async () => undefined)).codes).toEqual([]);
  });
});
