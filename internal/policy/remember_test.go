package policy_test

import (
	"testing"
	"time"

	"keyturn/internal/policy"
)

func TestRememberedDevice(t *testing.T) {
	t.Parallel()
	required := member(xero())
	own := member(everyone)
	fourAM := time.Date(2026, time.March, 11, 4, 0, 0, 0, sydney()) // 5 hours after noon
	lastFour := fourAM.Add(-day)
	hold(t, []rule{
		{sentence: "a device remembered today spares the second factor", facts: with(required, remembered(noon.Add(-hour), "bayside")), outcome: policy.Allow, because: because(policy.XeroConnected, policy.DeviceRemembered), until: fourAM},
		{sentence: "with Xero it is asked again from 4 am site time", facts: with(required, remembered(lastFour.Add(-tick), "bayside")), outcome: policy.Ask, because: because(policy.DeviceNotRemembered)},
		{sentence: "remembered at 4 am itself it holds until under 24 hours later", facts: with(required, remembered(lastFour, "bayside")), outcome: policy.Allow, until: lastFour.Add(23*hour + 59*minute)},
		{sentence: "with Xero a site's 30 days are a day", facts: with(required, member(remember(policy.Remember30)), remembered(noon.Add(-25*hour), "bayside")), outcome: policy.Ask},
		{sentence: "Xero disconnected and not lowered keeps the day", facts: with(member(xero(cut(noon.Add(-hour)))), member(remember(policy.Remember30)), remembered(noon.Add(-25*hour), "bayside")), outcome: policy.Ask},
		{sentence: "without Xero a site's 7 days are 7 days", facts: with(own, member(remember(policy.Remember7)), remembered(noon.Add(-7*day+tick), "bayside")), outcome: policy.Allow, until: noon.Add(tick)},
		{sentence: "7 days end at their instant", facts: with(own, member(remember(policy.Remember7)), remembered(noon.Add(-7*day), "bayside")), outcome: policy.Ask},
		{sentence: "14 days end at their instant", facts: with(own, member(remember(policy.Remember14)), remembered(noon.Add(-14*day), "bayside")), outcome: policy.Ask},
		{sentence: "14 days last until then", facts: with(own, member(remember(policy.Remember14)), remembered(noon.Add(-14*day+tick), "bayside")), outcome: policy.Allow},
		{sentence: "30 days last until then", facts: with(own, member(remember(policy.Remember30)), remembered(noon.Add(-30*day+tick), "bayside")), outcome: policy.Allow},
		{sentence: "nothing lasts longer than 30 days", facts: with(own, member(remember(policy.Remember30)), remembered(noon.Add(-30*day), "bayside")), outcome: policy.Ask},
		{sentence: "a site may forbid it", facts: with(own, member(remember(policy.RememberOff)), remembered(noon, "bayside")), outcome: policy.Ask},
		{sentence: "a setting nobody knows forbids it", facts: with(own, member(remember("always")), remembered(noon, "bayside")), outcome: policy.Ask},
		{sentence: "remembered for another site it spares nothing here", facts: with(required, remembered(noon, "harbour")), outcome: policy.Ask},
		{sentence: "every site that requires must have been remembered", facts: with(required, also("harbour", everyone), remembered(noon, "bayside")), outcome: policy.Ask},
		{sentence: "the strictest of the sites binds", facts: with(own, member(remember(policy.Remember30)), also("harbour", everyone, remember(policy.Remember7)), remembered(noon.Add(-8*day), "bayside", "harbour")), outcome: policy.Ask},
		{sentence: "a site that requires nothing has no say", facts: with(required, also("harbour", remember(policy.RememberOff)), remembered(noon, "bayside")), outcome: policy.Allow},
		{sentence: "where the user chose 2FA every site has a say", facts: with(wants2FA, also("harbour", remember(policy.RememberOff)), remembered(noon, "bayside", "harbour")), outcome: policy.Ask},
		{sentence: "where the user chose 2FA a device can be remembered", facts: with(wants2FA, remembered(noon, "bayside")), outcome: policy.Allow, because: because(policy.OwnChoice, policy.DeviceRemembered)},
		{sentence: "an exempt user's own choice is held to the day at a Xero site", facts: with(wants2FA, member(mobile), member(xero()), member(remember(policy.Remember30)), client(policy.ClientMobile), remembered(noon.Add(-25*hour), "bayside")), outcome: policy.Ask},
		{sentence: "a risk since ends it", facts: with(required, remembered(noon.Add(-hour), "bayside"), risk(noon.Add(-hour+tick))), outcome: policy.Ask, because: because(policy.ChangedSinceRemember)},
		{sentence: "the change made with the sign-in that remembered it does not end it", facts: with(required, remembered(noon.Add(-hour), "bayside"), risk(noon.Add(-hour))), outcome: policy.Allow},
		{sentence: "a device does not answer what the client asks", facts: with(required, acr(2), remembered(noon, "bayside")), outcome: policy.Ask, never: because(policy.DeviceRemembered)},
		{sentence: "a device of unknown age is not remembered", facts: with(required, remembered(time.Time{}, "bayside")), outcome: policy.Ask},
	})
}

func TestRememberUntil(t *testing.T) {
	t.Parallel()
	fourAM := time.Date(2026, time.March, 11, 4, 0, 0, 0, sydney())
	for _, row := range []struct {
		sentence string
		facts    []change
		until    time.Time // zero: nothing is promised
	}{
		{"with Xero: until 4 am site time", with(member(xero()), member(remember(policy.Remember30))), fourAM},
		{"daily without Xero: the same", with(member(everyone)), fourAM},
		{"7 days: to the minute", with(member(everyone), member(remember(policy.Remember7))), noon.Add(7 * day)},
		{"14 days: to the minute", with(member(everyone), member(remember(policy.Remember14))), noon.Add(14 * day)},
		{"30 days: to the minute", with(member(everyone), member(remember(policy.Remember30))), noon.Add(30 * day)},
		{"off: nothing is promised", with(member(xero()), member(remember(policy.RememberOff))), time.Time{}},
		{"nothing required: nothing is promised", nil, time.Time{}},
		{"only the client asks: nothing is promised", with(acr(2)), time.Time{}},
		{"staff: nothing is promised", with(staff, method(proved(policy.TOTP))), time.Time{}},
		{"two sites: the strictest", with(member(everyone), member(remember(policy.Remember7)), also("harbour", everyone, remember(policy.Remember14))), noon.Add(7 * day)},
		{"a site that requires nothing has no say", with(member(everyone), also("harbour", remember(policy.RememberOff))), fourAM},
		{"a Xero date in between cuts it short", with(member(everyone), member(remember(policy.Remember30)), member(xero()), member(rollout(policy.Rollout{EnforceAt: noon.Add(3 * day)}))), noon.Add(3 * day)},
		{"what was passed and what the client asks do not matter", with(member(xero()), acr(3), passed(policy.Email, noon), risk(noon.Add(hour))), fourAM},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			t.Parallel()
			until, promised := policy.RememberUntil(pat(row.facts...), noon)
			if promised == row.until.IsZero() || !until.Equal(row.until) {
				t.Errorf("promised until %v (%v), not %v", until, promised, row.until)
			}
		})
	}
}

func TestDailyIsAlwaysUnder24Hours(t *testing.T) {
	t.Parallel()
	// Clocks in Sydney go back on 5 April 2026 at 3 am: from 4 am to 4 am are 25 hours.
	passedAt := time.Date(2026, time.April, 4, 4, 0, 0, 0, sydney())
	next := policy.NextFour(passedAt, sydney())
	if next.Sub(passedAt) != 25*hour {
		t.Fatalf("from 4 am to 4 am are %v", next.Sub(passedAt))
	}
	until, promised := policy.RememberUntil(pat(member(xero())), passedAt)
	if !promised || until.Sub(passedAt) != 23*hour+59*minute {
		t.Errorf("remembered for %v (%v)", until.Sub(passedAt), promised)
	}
}

func TestNextFour(t *testing.T) {
	t.Parallel()
	at := func(month time.Month, date, hour, minute int) time.Time {
		return time.Date(2026, month, date, hour, minute, 0, 0, sydney())
	}
	for _, row := range []struct {
		sentence    string
		after, want time.Time
	}{
		{"in the afternoon it is tomorrow's", at(time.March, 10, 15, 0), at(time.March, 11, 4, 0)},
		{"after midnight it is today's", at(time.March, 10, 0, 30), at(time.March, 10, 4, 0)},
		{"a second before it is that one", at(time.March, 10, 4, 0).Add(-time.Second), at(time.March, 10, 4, 0)},
		{"at 4 am itself it is tomorrow's", at(time.March, 10, 4, 0), at(time.March, 11, 4, 0)},
		{"over the end of a month", at(time.March, 31, 5, 0), at(time.April, 1, 4, 0)},
		{"the night clocks go forward", at(time.October, 3, 4, 0), at(time.October, 3, 4, 0).Add(23 * hour)},
		{"the night clocks go back", at(time.April, 4, 4, 0), at(time.April, 4, 4, 0).Add(25 * hour)},
	} {
		if got := policy.NextFour(row.after, sydney()); !got.Equal(row.want) {
			t.Errorf("%s: %v, not %v", row.sentence, got, row.want)
		}
	}
	if got := policy.NextFour(noon, nil); got.Hour() != 4 || got.Location() != time.UTC {
		t.Errorf("without a zone it is not 4 am UTC: %v", got)
	}
}

func TestSessionEnd(t *testing.T) {
	t.Parallel()
	fourAM := time.Date(2026, time.March, 11, 4, 0, 0, 0, sydney())
	began := noon.Add(-30 * day)
	for _, row := range []struct {
		sentence string
		facts    []change
		started  time.Time
		want     time.Time
	}{
		{"a site that requires: 4 am site time", with(member(xero())), noon, fourAM},
		{"a site that requires nothing: 24 hours", nil, noon, noon.Add(day)},
		{"an exempt member: 24 hours", with(member(xero()), member(mobile)), noon, noon.Add(day)},
		{"a blocked membership has no say", with(member(xero()), member(blocked)), noon, noon.Add(day)},
		{"two sites: the first 4 am", with(member(xero()), also("harbour", everyone)), noon, noon.Add(5 * hour)},
		{"the date that comes at 4 am ends it", with(member(xero()), member(rollout(policy.Rollout{BeganAt: began, EnforceAt: fourAM}))), noon, fourAM},
		{"the date that comes after 4 am does not", with(member(xero()), member(rollout(policy.Rollout{BeganAt: began, EnforceAt: fourAM.Add(tick)}))), noon, noon.Add(day)},
		{"a setting chosen after the last 4 am leaves the session to its second step", with(member(everyone), member(func(m *policy.Membership) { m.SettingSince = noon.Add(-hour) })), noon.Add(-23 * hour), noon.Add(hour)},
		{"a start in the future counts as now", nil, noon.Add(hour), noon.Add(day)},
		{"no membership: 24 hours", with(func(f *policy.Facts) { f.Memberships = nil }), noon, noon.Add(day)},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			t.Parallel()
			if got := policy.SessionEnd(pat(row.facts...).Memberships, row.started, noon); !got.Equal(row.want) {
				t.Errorf("the session ends at %v, not %v", got, row.want)
			}
		})
	}
}
