// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// An OAuth server of another maker, which knows the device authorization grant from RFC 8628 alone, under URLs and with claims
// that look like Entra ID's.
//
// It reads one JSON document from standard input: {port, tenant, client, certificate, key, accounts: {login: object id}, page}.
// The page, if there is one, may have codes (RFC 6749, Section 4.1), and redeem them by script.
// It prints "ready" once it listens, then a line "event …" for all that it grants or refuses, with the reason.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import Provider from 'oidc-provider';

const { port, tenant, client, certificate, key, accounts, page } = JSON.parse(readFileSync(0));
const mount = `/${tenant}/v2.0`;

const signing = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });

const provider = new Provider(`https://127.0.0.1:${port}${mount}`, {
  clients: [{
    client_id: client,
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['urn:ietf:params:oauth:grant-type:device_code', ...(page ? ['authorization_code'] : [])],
    response_types: page ? ['code'] : [],
    redirect_uris: page ? [page] : [],
  }],
  clientBasedCORS: (ctx, origin) => page !== undefined && origin === new URL(page).origin,
  features: { deviceFlow: { enabled: true }, devInteractions: { enabled: true } },
  jwks: { keys: [{ ...signing, kid: randomUUID(), alg: 'RS256', use: 'sig' }] },
  cookies: { keys: ['for a test'] },
  scopes: ['openid', 'profile'],
  claims: { openid: ['sub', 'tid', 'ver'], profile: ['name', 'oid', 'preferred_username'] },
  conformIdTokenClaims: false, // Entra ID puts the claims of the scope profile into ID tokens
  findAccount: (ctx, login) => accounts[login] && {
    accountId: login,
    claims: () => ({
      sub: login, name: login, preferred_username: login, oid: accounts[login], tid: tenant, ver: '2.0',
    }),
  },
});

for (const event of ['device_authorization.success', 'grant.success']) {
  provider.on(event, () => console.log('event', event));
}
for (const event of ['authorization.error', 'discovery.error', 'grant.error', 'jwks.error', 'server_error']) {
  provider.on(event, (ctx, err) => console.log('event', event, err.error ?? err.message, err.error_detail ?? ''));
}

// Where Entra ID has the two that a browser asks, there is no other place to name them to.
const here = { [`/${tenant}/oauth2/v2.0/authorize`]: `${mount}/auth`, [`/${tenant}/oauth2/v2.0/token`]: `${mount}/token` };

// As a web framework mounts it: the provider finds its own place in the difference of the two URLs.
const answer = provider.callback();
createServer({ cert: certificate, key }, (req, res) => {
  const [path] = req.url.split('?', 1);
  req.url = (here[path] ?? path) + req.url.slice(path.length);
  if (!req.url.startsWith(`${mount}/`)) {
    console.log('event elsewhere', req.method, req.url);
    res.writeHead(404).end();
    return;
  }
  req.originalUrl = req.url;
  req.url = req.url.slice(mount.length);
  answer(req, res);
}).listen(port, '127.0.0.1', () => console.log('ready'));
