// Calls every operation through a client that was made of the description, and says what
// came of each: one line with the operation's id and its status.
import { client } from './made/client.gen';
import * as api from './made/sdk.gen';

const [url, token, request] = process.argv.slice(2);
client.setConfig({ baseUrl: url, auth: () => token });

const site = { ref: 'S1' };
const member = { ref: 'S1', user_ref: 'U2' };

function say(id: string, got: { data?: unknown; error?: unknown; response: Response }): void {
  if (got.error !== undefined) console.error(id, JSON.stringify(got.error));
  console.log(id, got.response.status);
}

async function main(): Promise<void> {
  const sites = await api.listSites({ query: { limit: 1 } });
  const refs: string[] = (sites.data?.items ?? []).map((one) => one.ref);
  if (refs.join() !== 'S1' || !sites.data?.next) throw new Error(`the first page has ${refs}`);
  say('list-sites', await api.listSites({ query: { limit: 1, cursor: sites.data.next } }));
  say('get-site', await api.getSite({ path: site }));
  say('put-site', await api.putSite({ path: { ref: 'S3' }, body: { name: 'Corner Garage', region: 'AU', time_zone: 'Australia/Sydney' } }));
  say('list-groups', await api.listGroups());
  say('list-users', await api.listUsers({ path: site, query: { status: 'active', limit: 2 } }));
  const kim = await api.getUser({ path: member });
  say('get-user', kim);
  say('change-user', await api.changeUser({
    path: member, body: { group: 'Sales', sales_dashboard: true }, headers: { 'If-Match': kim.response.headers.get('ETag') ?? '' },
  }));
  const add = () => api.addUser({
    path: site, body: { user_ref: 'U5', email: 'eve@s1.example', first_name: 'Eve', group: 'Sales', kind: 'office' },
    headers: { 'Idempotency-Key': 'made-once' },
  });
  await add();
  say('add-user', await add());
  say('end-user', await api.endUser({ path: { ref: 'S1', user_ref: 'U5' } }));
  say('ask-decision', await api.askDecision({ path: member, body: { app: 'web' } }));
  say('list-requests', await api.listRequests({ path: site }));
  say('get-request', await api.getRequest({ path: { ref: 'S1', request } }));
  say('add-request', await api.addRequest({
    path: site, body: { asked_by: 'U1', email: 'lee@s1.example', first_name: 'Lee', group: 'Sales', kind: 'office' },
  }));
  say('get-balance', await api.getBalance({ path: site }));
  say('list-statement', await api.listStatement({ path: site }));
  say('put-xero', await api.putXero({ path: site, body: { state: 'connected', connected_at: '2024-03-12T01:30:00Z' } }));
  say('get-xero', await api.getXero({ path: site }));
  say('post-xero-token', await api.postXeroToken({ path: site }));
  say('get-rollout', await api.getRollout());
  say('get-site-rollout', await api.getSiteRollout({ path: site }));
  say('get-readiness', await api.getReadiness({ path: site }));
  say('get-banner', await api.getBanner({ path: member }));
  say('list-audit', await api.listAudit({ path: site, query: { kind: 'request.made' } }));
}

main().catch((err) => { console.error(err); process.exit(1); });
