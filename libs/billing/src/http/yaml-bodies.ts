import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { BODY_LIMIT } from '@tallygate/platform';
import type { FastifyInstance } from 'fastify';
import { parse } from 'yaml';
import { notYaml } from './refusals';

const YAML_TYPES = /^(?:application|text)\/(?:x-)?yaml(?:\s*;.*)?$/i;

/** Reads YAML bodies, by the core schema: a catalog document travels as it is written. */
@Injectable()
export class YamlBodies implements OnModuleInit {
  constructor(private readonly host: HttpAdapterHost) {}

  onModuleInit(): void {
    const fastify = this.host.httpAdapter?.getInstance<FastifyInstance>();
    if (typeof fastify?.addContentTypeParser !== 'function') return;
    if (fastify.hasContentTypeParser(YAML_TYPES)) return;
    fastify.addContentTypeParser(
      YAML_TYPES,
      { parseAs: 'string', bodyLimit: BODY_LIMIT },
      (_, body, done) => {
        try {
          done(null, parse(String(body), { schema: 'core', maxAliasCount: 0 }));
        } catch (error) {
          const detail = error instanceof Error ? error.message : undefined;
          done(notYaml(detail));
        }
      },
    );
  }
}
