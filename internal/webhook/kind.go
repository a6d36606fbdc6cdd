package webhook

import (
	"slices"
	"strings"

	"keyturn/internal/audit"
)

// Type is what sort of thing happened, as a receiver reads it. Types are never renamed.
type Type string

// The types.
const (
	// UserChanged: somebody was added, ended, or changed: data.change says what.
	UserChanged Type = "user.changed"
	// MethodAdded and MethodRemoved: somebody has another way to pass the second factor, or
	// one less.
	MethodAdded   Type = "method.added"
	MethodRemoved Type = "method.removed"
	// SiteRequired: what makes 2FA mandatory at a site, or from when on, is another. The
	// coming of a date that was told before is told no second time.
	SiteRequired Type = "site.required"
	// SiteConnected and SiteDisconnected: the site's connection to Xero.
	SiteConnected    Type = "site.connected"
	SiteDisconnected Type = "site.disconnected"
	// HelpCodeGiven: somebody was given a help code.
	HelpCodeGiven Type = "help_code.given"
	// SignInRefused: the policy let somebody in at no price.
	SignInRefused Type = "signin.refused"
	// SMSLow: a site's SMS balance ran low.
	SMSLow Type = "sms.balance_low"
	// What a rollout did as a whole. What it did to one site's date is SiteRequired.
	RolloutStarted    Type = "rollout.started"
	RolloutPaused     Type = "rollout.paused"
	RolloutResumed    Type = "rollout.resumed"
	RolloutEnded      Type = "rollout.ended"
	RolloutWaveMoved  Type = "rollout.wave_moved"
	RolloutRolledBack Type = "rollout.rolled_back"
	// Test is sent when staff ask for it, whatever types an endpoint has.
	Test Type = "webhook.test"
)

// Types are all that an endpoint may ask for, in an order in which they are read.
func Types() []Type {
	return []Type{
		UserChanged, MethodAdded, MethodRemoved, SiteRequired, SiteConnected, SiteDisconnected,
		HelpCodeGiven, SignInRefused, SMSLow,
		RolloutStarted, RolloutPaused, RolloutResumed, RolloutEnded, RolloutWaveMoved, RolloutRolledBack,
	}
}

// meaning is what is told of one kind of event.
type meaning struct {
	is Type
	// change says more exactly what it was; empty where the type says it all.
	change string
	// person says that it is about the person, wherever they are a member, and not about one
	// site.
	person bool
	// facts are those of the event that are told. No other leaves.
	facts []string
}

// meanings has every kind of event that is told. Each is among audit.Told, and the other
// way round; a kind that is in neither is named in the test with what speaks against it.
var meanings = map[audit.Kind]meaning{
	audit.UserAdded:          {is: UserChanged, change: "added", facts: []string{"in_place_of"}},
	audit.UserRenamed:        {is: UserChanged, change: "name", person: true},
	audit.LoginChanged:       {is: UserChanged, change: "login", person: true},
	audit.LoginUndone:        {is: UserChanged, change: "login", person: true},
	audit.LoginsJoined:       {is: UserChanged, change: "joined", facts: []string{"stays", "retired"}},
	audit.MembershipAdded:    {is: UserChanged, change: "membership_added", facts: []string{"user_ref", "group", "kind", "status"}},
	audit.MembershipChanged:  {is: UserChanged, change: "membership", facts: []string{"group", "group_was", "kind", "kind_was", "status", "status_was", "twofa", "twofa_was", "sales_dashboard", "sales_dashboard_was", "business_intelligence", "business_intelligence_was"}},
	audit.InvitationAccepted: {is: UserChanged, change: "membership_added", facts: []string{"user_ref", "group", "kind"}},
	audit.MemberLeft:         {is: UserChanged, change: "left"},
	audit.AccessEnded:        {is: UserChanged, change: "access_ended", facts: []string{"user_ref", "until"}},
	audit.MembershipRetired:  {is: UserChanged, change: "retired"},

	audit.MethodAdded:       {is: MethodAdded, change: "added", person: true, facts: []string{"method", "kind"}},
	audit.MethodProved:      {is: MethodAdded, change: "proved", person: true, facts: []string{"method", "kind"}},
	audit.RecoveryCodesMade: {is: MethodAdded, change: "recovery_codes", person: true, facts: []string{"method", "kind"}},
	audit.MethodRemoved:     {is: MethodRemoved, person: true, facts: []string{"method", "kind"}},

	audit.SiteChanged:         {is: SiteRequired, change: "setting", facts: []string{"twofa", "twofa_was", "remember", "remember_was", "weakest", "weakest_was"}},
	audit.RequirementLowered:  {is: SiteRequired, change: "lowered"},
	audit.RolloutSitePlaced:   {is: SiteRequired, change: "placed", facts: dated},
	audit.RolloutSiteDated:    {is: SiteRequired, change: "dated", facts: dated},
	audit.RolloutSiteHeld:     {is: SiteRequired, change: "held", facts: dated},
	audit.RolloutSiteExtended: {is: SiteRequired, change: "extended", facts: dated},
	audit.RolloutSitePaused:   {is: SiteRequired, change: "paused", facts: dated},
	audit.RolloutSiteBack:     {is: SiteRequired, change: "rolled_back", facts: dated},
	audit.XeroConnected:       {is: SiteConnected, facts: []string{"since"}},
	audit.XeroDisconnected:    {is: SiteDisconnected},

	audit.HelpCodeGiven: {is: HelpCodeGiven, facts: []string{"origin"}},
	audit.SignInRefused: {is: SignInRefused, facts: []string{"outcome", "reasons", "reference"}},
	audit.SMSRanLow:     {is: SMSLow, facts: []string{"available"}},

	audit.RolloutStarted:   {is: RolloutStarted, facts: []string{"rollout"}},
	audit.RolloutPaused:    {is: RolloutPaused, facts: []string{"rollout", "why"}},
	audit.RolloutResumed:   {is: RolloutResumed, facts: []string{"rollout"}},
	audit.RolloutEnded:     {is: RolloutEnded, facts: []string{"rollout"}},
	audit.RolloutWaveMoved: {is: RolloutWaveMoved, facts: []string{"rollout", "wave", "day", "day_was", "why", "channel"}},
	audit.RolloutWaveBack:  {is: RolloutRolledBack, facts: []string{"rollout", "wave"}},
}

// dated are the facts of a site's date.
var dated = []string{"rollout", "date", "why"}

// wants says whether an endpoint asked for a type.
func (e Endpoint) wants(t Type) bool { return len(e.Types) == 0 || slices.Contains(e.Types, t) }

func joined(all []Type) string {
	words := make([]string, len(all))
	for i, t := range all {
		words[i] = string(t)
	}
	return strings.Join(words, " ")
}

func apart(text string) (all []Type) {
	for word := range strings.FieldsSeq(text) {
		all = append(all, Type(word))
	}
	return all
}
