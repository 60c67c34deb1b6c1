// environment variables → settings, or an error that names the variable.
import t from 'tap';
import { Config, ConfigError, readConfig } from '../../src/service/config.js';

t.test('without variables every setting has its default', async (t) => {
  t.match(readConfig({}), {
    host: 'localhost',
    port: 8000,
    models: 'models',
    defaultModel: undefined,
    variant: undefined,
    workers: undefined,
    maxUploadBytes: 10 * 1024 * 1024,
    maxPixels: 25_000_000,
    logLevel: 'info',
  });
});

t.test('variables are converted to the types of their settings', async (t) => {
  const env = { QUATI_PORT: '0', QUATI_MODEL: 'mnist', QUATI_VARIANT: 'float32', QUATI_WORKERS: '3' };
  t.match(readConfig(env), { port: 0, defaultModel: 'mnist', variant: 'float32', workers: 3 });
});

t.test('an empty variable counts as unset', async (t) => {
  t.same(readConfig({ QUATI_PORT: '', QUATI_VARIANT: '' }), readConfig({}));
});

t.test('the error of an invalid value has the variable, the value, and what is expected', async (t) => {
  const wrong: [NodeJS.ProcessEnv, string][] = [
    [{ QUATI_PORT: '70000' }, 'QUATI_PORT=70000: expected an integer from 0 to 65535'],
    [{ QUATI_PORT: '8e3' }, 'QUATI_PORT=8e3: expected an integer from 0 to 65535'],
    [{ QUATI_MAX_BATCH: '0' }, 'QUATI_MAX_BATCH=0: expected an integer from 1 to 1024'],
    [{ QUATI_VARIANT: 'int4' }, 'QUATI_VARIANT=int4: expected float32, float16, int8, binary or auto'],
    [
      { QUATI_MODEL: '../x' },
      'QUATI_MODEL=../x: expected the name of a model: lower-case letters, digits and hyphens',
    ],
  ];
  for (const [env, message] of wrong) t.throws(() => readConfig(env), { constructor: ConfigError, message });
});

t.test('no two settings have the same variable', async (t) => {
  const variables = Object.values(Config.properties).map((schema) =>
    'env' in schema ? schema.env : undefined,
  );
  t.equal(new Set(variables).size, variables.length);
  t.ok(variables.every((name) => typeof name === 'string' && /^QUATI_[A-Z_]+$/.test(name)));
});
