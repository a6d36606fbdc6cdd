package policy_test

import (
	"testing"
	"time"

	"keyturn/internal/policy"
)

func because(keys ...policy.ReasonKey) []policy.ReasonKey { return keys }

func TestWhoIsReached(t *testing.T) {
	t.Parallel()
	required := member(everyone)
	hold(t, []rule{
		{sentence: "a user without any membership is refused", facts: with(func(f *policy.Facts) { f.Memberships = nil }), outcome: policy.Refuse, because: because(policy.NoMembership)},
		{sentence: "an inactive member is refused", facts: with(member(inactive)), outcome: policy.Refuse, because: because(policy.IsInactive)},
		{sentence: "a blocked member is refused", facts: with(member(blocked)), outcome: policy.Refuse, because: because(policy.IsBlocked)},
		{sentence: "a membership whose access is over is refused, with the moment", facts: with(member(func(m *policy.Membership) { m.EndsAt = noon })), outcome: policy.Refuse, because: because(policy.IsInactive)},
		{sentence: "a membership whose access ends later counts until then", facts: with(member(func(m *policy.Membership) { m.EndsAt = noon.Add(1) })), outcome: policy.Allow, because: because(policy.NothingRequired)},
		{sentence: "a membership of unknown status is refused", facts: with(member(func(m *policy.Membership) { m.Status = "" })), outcome: policy.Refuse, because: because(policy.IsInactive)},
		{sentence: "blocked in one site and active in another is decided by the other", facts: with(member(blocked), also("harbour", everyone)), outcome: policy.Ask, because: because(policy.SiteRequiresEveryone), never: because(policy.IsBlocked)},
		{sentence: "a blocked membership of a Xero site requires nothing", facts: with(member(blocked), member(xero()), also("harbour")), outcome: policy.Allow},
		{sentence: "a mobile membership cannot be used on the web", facts: with(member(mobile)), outcome: policy.Refuse, because: because(policy.MobileOnWeb)},
		{sentence: "a mobile membership cannot be used by a service", facts: with(member(mobile), client(policy.ClientService)), outcome: policy.Refuse, because: because(policy.MobileOnWeb)},
		{sentence: "a mobile membership cannot be used by a client of unknown kind", facts: with(member(mobile), client("")), outcome: policy.Refuse, because: because(policy.MobileOnWeb)},
		{sentence: "passing 2FA opens the web to no mobile membership", facts: with(member(mobile), passed(policy.Passkey, noon)), outcome: policy.Refuse},
		{sentence: "a mobile membership of a Xero site leaves an office one of another site alone", facts: with(member(mobile), member(xero()), also("harbour")), outcome: policy.Allow, because: because(policy.NothingRequired)},
		{sentence: "a mobile user of a Xero site is exempt in the mobile app", facts: with(member(mobile), member(xero()), client(policy.ClientMobile)), outcome: policy.Allow, because: because(policy.MobileExempt), never: because(policy.XeroConnected)},
		{sentence: "a mobile user is exempt where the site requires everyone", facts: with(member(mobile), required, client(policy.ClientMobile)), outcome: policy.Allow, because: because(policy.MobileExempt)},
		{sentence: "an office member passes 2FA in the app like anywhere else", facts: with(member(xero()), client(policy.ClientMobile)), outcome: policy.Ask, because: because(policy.XeroConnected)},
		{sentence: "a kind nobody knows is decided as office", facts: with(member(xero()), member(func(m *policy.Membership) { m.Kind = "van" }), client(policy.ClientMobile)), outcome: policy.Ask},
		{sentence: "as soon as an office membership is reached in the app it is decided as office", facts: with(member(mobile), also("harbour", xero()), client(policy.ClientMobile)), outcome: policy.Ask, because: because(policy.XeroConnected)},
		{sentence: "an exempt user who chose 2FA passes it in the app", facts: with(member(mobile), wants2FA, client(policy.ClientMobile)), outcome: policy.Ask, because: because(policy.OwnChoice), never: because(policy.MobileExempt)},
		{sentence: "an exempt user passes 2FA in the app when the client asks", facts: with(member(mobile), acr(2), client(policy.ClientMobile)), outcome: policy.Ask, because: because(policy.ClientAsks)},
		{sentence: "staff pass 2FA in the app even as mobile members", facts: with(member(mobile), staff, method(proved(policy.TOTP)), client(policy.ClientMobile)), outcome: policy.Ask, because: because(policy.IsStaff)},
		{sentence: "staff need no membership", facts: with(func(f *policy.Facts) { f.Memberships = nil }, staff, method(proved(policy.Passkey))), outcome: policy.Ask, because: because(policy.IsStaff)},
	})
}

func TestStaff(t *testing.T) {
	t.Parallel()
	all := with(staff, member(sms(9, 0)), method(proved(policy.Email)), method(proved(policy.SMS)), method(proved(policy.TOTP)), method(proved(policy.Passkey)), method(proved(policy.Recovery)))
	hold(t, []rule{
		{sentence: "staff are asked where nobody else is, for an authenticator or a passkey only", facts: all, outcome: policy.Ask, because: because(policy.IsStaff), offers: []policy.MethodKind{policy.TOTP, policy.Passkey}, without: map[policy.MethodKind]policy.WithheldKey{policy.Email: policy.NotForStaff, policy.SMS: policy.NotForStaff, policy.Recovery: policy.NotForStaff}},
		{sentence: "staff with an email alone must be enrolled", facts: with(staff, method(proved(policy.Email))), outcome: policy.Enrol, because: because(policy.NoMethodCanWork)},
		{sentence: "an email code passed does not let staff in", facts: append(all, passed(policy.Email, noon)), outcome: policy.Ask, because: because(policy.PassNotEnough)},
		{sentence: "a recovery code passed does not let staff in", facts: append(all, passed(policy.Recovery, noon)), outcome: policy.Ask},
		{sentence: "an authenticator passed lets staff in", facts: append(all, passed(policy.TOTP, noon)), outcome: policy.Allow, because: because(policy.WasPassed)},
		{sentence: "no device of staff is remembered", facts: append(all, remembered(noon, "bayside")), outcome: policy.Ask, never: because(policy.DeviceRemembered)},
	})
}

func TestXeroRequires(t *testing.T) {
	t.Parallel()
	began := noon.Add(-30 * day)
	rules := []rule{
		{sentence: "an office member of a site without Xero is asked nothing", outcome: policy.Allow, because: because(policy.NothingRequired), never: because(policy.DateToCome)},
		{sentence: "Xero connected and no rollout defined requires at once", facts: with(member(xero())), outcome: policy.Ask, because: because(policy.XeroConnected), never: because(policy.EnforcedSince)},
		{sentence: "a failing connection is still a connection", facts: with(member(xero(failing))), outcome: policy.Ask, because: because(policy.XeroConnected)},
		{sentence: "a connection of unknown state is a connection", facts: with(member(xero(func(i *policy.Integration) { i.State = "" }))), outcome: policy.Ask},
		{sentence: "another integration requires nothing", facts: with(member(xero(func(i *policy.Integration) { i.Kind = "myob" }))), outcome: policy.Allow},
		{sentence: "connected at this instant requires at this instant", facts: with(member(xero(since(noon)))), outcome: policy.Ask},
		{sentence: "connecting tonight requires nothing yet, but nudges", facts: with(member(xero(since(noon.Add(5 * hour))))), outcome: policy.Nudge, because: because(policy.DateToCome), until: noon.Add(5 * hour)},
		{sentence: "before the site's stored date a person who is not ready is nudged", facts: with(member(xero()), member(rollout(policy.Rollout{BeganAt: began, EnforceAt: noon.Add(14 * day)}))), outcome: policy.Nudge, because: because(policy.DateToCome, policy.NotReady), until: noon.Add(14 * day)},
		{sentence: "a microsecond before the date nothing is required", facts: with(member(xero()), member(rollout(policy.Rollout{BeganAt: began, EnforceAt: noon.Add(tick)}))), outcome: policy.Nudge, until: noon.Add(tick)},
		{sentence: "on the very instant of the date 2FA is required", facts: with(member(xero()), member(rollout(policy.Rollout{BeganAt: began, EnforceAt: noon}))), outcome: policy.Ask, because: because(policy.XeroConnected, policy.EnforcedSince)},
		{sentence: "an extension moves the date", facts: with(member(xero()), member(rollout(policy.Rollout{BeganAt: began, EnforceAt: noon.Add(-day), ExtendedUntil: noon.Add(day)}))), outcome: policy.Nudge, until: noon.Add(day)},
		{sentence: "an extension ends at its instant", facts: with(member(xero()), member(rollout(policy.Rollout{BeganAt: began, EnforceAt: noon.Add(-day), ExtendedUntil: noon}))), outcome: policy.Ask, because: because(policy.EnforcedSince)},
		{sentence: "an extension never brings the date forward", facts: with(member(xero()), member(rollout(policy.Rollout{BeganAt: began, EnforceAt: noon.Add(day), ExtendedUntil: noon.Add(-day)}))), outcome: policy.Nudge, until: noon.Add(day)},
		{sentence: "a site of the rollout without a date is asked nothing", facts: with(member(xero()), member(rollout(policy.Rollout{BeganAt: began}))), outcome: policy.Allow, never: because(policy.DateToCome)},
		{sentence: "an extension without a date is no date", facts: with(member(xero()), member(rollout(policy.Rollout{BeganAt: began, ExtendedUntil: noon.Add(day)}))), outcome: policy.Allow},
		{sentence: "a site that connected after the rollout began is enforced from that moment", facts: with(member(xero(since(noon.Add(-day)))), member(rollout(policy.Rollout{BeganAt: began}))), outcome: policy.Ask, because: because(policy.XeroConnected)},
		{sentence: "a site that connected as the rollout began is enforced from that moment", facts: with(member(xero(since(began))), member(rollout(policy.Rollout{BeganAt: began, EnforceAt: noon.Add(day)}))), outcome: policy.Ask},
		{sentence: "a site that connected just before the rollout began waits for its date", facts: with(member(xero(since(began.Add(-tick)))), member(rollout(policy.Rollout{BeganAt: began, EnforceAt: noon.Add(day)}))), outcome: policy.Nudge},
		{sentence: "a rollout that has not begun enforces nobody", facts: with(member(xero()), member(rollout(policy.Rollout{}))), outcome: policy.Allow},
		{sentence: "nobody is nudged before the site's preparing begins", facts: with(member(xero()), member(rollout(policy.Rollout{BeganAt: began, EnforceAt: noon.Add(14 * day), PrepareFrom: noon.Add(tick)}))), outcome: policy.Allow, until: noon.Add(tick)},
		{sentence: "people are nudged from the instant the site's preparing begins", facts: with(member(xero()), member(rollout(policy.Rollout{BeganAt: began, EnforceAt: noon.Add(14 * day), PrepareFrom: noon}))), outcome: policy.Nudge},
		{sentence: "a person who is ready is not nudged", facts: with(method(proved(policy.Email)), member(xero()), member(rollout(policy.Rollout{BeganAt: began, EnforceAt: noon.Add(14 * day)}))), outcome: policy.Allow, because: because(policy.DateToCome), never: because(policy.NotReady)},
		{sentence: "a user of several sites answers to the strictest", facts: with(also("harbour", xero())), outcome: policy.Ask, because: because(policy.XeroConnected)},
	}
	for _, g := range []policy.Group{policy.GroupAdmin, policy.GroupOwner, policy.GroupManager, policy.GroupUser, policy.GroupInvoicePayment, policy.GroupPayOnly, policy.GroupInvoiceOnly, policy.GroupMechanic, policy.GroupSales, "Apprentice"} {
		rules = append(rules, rule{sentence: "whatever the group, 2FA is required of " + string(g), facts: with(member(group(g)), member(xero())), outcome: policy.Ask, because: because(policy.XeroConnected)})
	}
	hold(t, rules)
}

func TestXeroWasConnected(t *testing.T) {
	t.Parallel()
	gone := noon.Add(-30 * day)
	began := noon.Add(-60 * day)
	hold(t, []rule{
		{sentence: "unplugging Xero does not silently drop 2FA", facts: with(member(xero(cut(gone)))), outcome: policy.Ask, because: because(policy.XeroWasConnected), never: because(policy.XeroConnected)},
		{sentence: "lowered by an admin 7 days after the disconnect, nothing is required", facts: with(member(xero(cut(gone), lowered(gone.Add(7*day))))), outcome: policy.Allow},
		{sentence: "lowered a microsecond too early, it stays", facts: with(member(xero(cut(gone), lowered(gone.Add(7*day-tick))))), outcome: policy.Ask, because: because(policy.XeroWasConnected)},
		{sentence: "a row that never was connected requires nothing", facts: with(member(xero(func(i *policy.Integration) { i.State = policy.Disconnected }, since(time.Time{})))), outcome: policy.Allow},
		{sentence: "reconnected after lowering, it is enforced at once", facts: with(member(xero(cut(gone), lowered(gone.Add(8*day)), func(i *policy.Integration) { i.State = policy.Connected }, since(noon)))), outcome: policy.Ask, because: because(policy.XeroConnected)},
		{sentence: "disconnecting and reconnecting tonight gives no evening without 2FA", facts: with(member(xero(cut(noon.Add(-hour)), func(i *policy.Integration) { i.State = policy.Connected }, since(noon.Add(5*hour)))), member(rollout(policy.Rollout{BeganAt: began}))), outcome: policy.Ask, because: because(policy.XeroWasConnected)},
		{sentence: "a site that enforced by its date and reconnects tonight is asked meanwhile", facts: with(member(xero(cut(began.Add(-day)), func(i *policy.Integration) { i.State = policy.Connected }, since(noon.Add(5*hour)))), member(rollout(policy.Rollout{BeganAt: began, EnforceAt: noon.Add(-day)}))), outcome: policy.Ask},
		{sentence: "reconnected long before the rollout, a site waits for its date like any other", facts: with(member(xero(cut(began.Add(-80*day)), func(i *policy.Integration) { i.State = policy.Connected }, since(began.Add(-70*day)))), member(rollout(policy.Rollout{BeganAt: began, EnforceAt: noon.Add(day)}))), outcome: policy.Nudge},
		{sentence: "reconnected, the live connection is named and not the old one", facts: with(member(xero(cut(gone), func(i *policy.Integration) { i.State = policy.Connected }, since(noon.Add(-day))))), outcome: policy.Ask, because: because(policy.XeroConnected), never: because(policy.XeroWasConnected)},
		{sentence: "disconnecting before the site's date neither requires at once nor forgets the date", facts: with(member(xero(cut(noon.Add(-day)))), member(rollout(policy.Rollout{BeganAt: began, EnforceAt: noon.Add(day)}))), outcome: policy.Nudge, until: noon.Add(day)},
		{sentence: "disconnected before the date, it is required from the date", facts: with(member(xero(cut(noon.Add(-day)))), member(rollout(policy.Rollout{BeganAt: began, EnforceAt: noon}))), outcome: policy.Ask, because: because(policy.XeroWasConnected, policy.EnforcedSince)},
	})
}

func TestWhoElseRequires(t *testing.T) {
	t.Parallel()
	toggled := member(func(m *policy.Membership) { m.Required2FA = true })
	perUser := member(func(m *policy.Membership) { m.Setting = policy.SettingPerUser })
	hold(t, []rule{
		{sentence: "a site that requires everyone asks everyone", facts: with(member(everyone)), outcome: policy.Ask, because: because(policy.SiteRequiresEveryone)},
		{sentence: "a setting nobody knows is read as everyone", facts: with(member(func(m *policy.Membership) { m.Setting = "sometimes" })), outcome: policy.Ask},
		{sentence: "per user, a member with the toggle is asked", facts: with(perUser, toggled), outcome: policy.Ask, because: because(policy.SiteRequiresMember)},
		{sentence: "per user, a member without the toggle is not asked", facts: with(perUser), outcome: policy.Allow},
		{sentence: "with the site's 2FA off the toggle does nothing", facts: with(toggled), outcome: policy.Allow},
		{sentence: "a user's own choice is honoured where no site requires it", facts: with(wants2FA), outcome: policy.Ask, because: because(policy.OwnChoice)},
		{sentence: "the client asks for more than a password", facts: with(acr(2)), outcome: policy.Ask, because: because(policy.ClientAsks)},
		{sentence: "the client asks for a password and no more", facts: with(acr(1)), outcome: policy.Allow},
		{sentence: "max_age alone requires no second factor", facts: with(maxAge(0)), outcome: policy.Allow},
		{sentence: "all that require are named", facts: with(member(xero()), member(everyone), wants2FA, acr(2)), outcome: policy.Ask, because: because(policy.XeroConnected, policy.SiteRequiresEveryone, policy.OwnChoice, policy.ClientAsks)},
		{sentence: "an enrol-only session never becomes a full one", facts: with(passed(policy.Passkey, noon), func(f *policy.Facts) { f.EnrolOnly = true }), outcome: policy.Enrol, because: because(policy.EnrolOnlySession)},
		{sentence: "an enrol-only session is no way round a refusal", facts: with(member(blocked), func(f *policy.Facts) { f.EnrolOnly = true }), outcome: policy.Refuse},
	})
}
