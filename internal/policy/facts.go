package policy

import "time"

// Facts is all that a decision rests on. Two equal Facts give equal decisions at the
// same moment; the order inside its lists does not matter.
type Facts struct {
	// Memberships are those the session reaches or would reach: all of the user's at
	// sign-in, the chosen site's afterwards. Their kind and status are judged here.
	Memberships []Membership
	// Others are the user's memberships that the session does not reach. They require
	// nothing of it, but the person is the same: a reset by email is held against them as
	// long as any site requires, and what they can prove does not depend on the site that
	// they chose to enter.
	Others []Membership
	User   User
	Client Client
	// Passed are the second factors passed in this attempt or session. The password
	// is not among them: without it nobody asks for a decision.
	Passed []Pass
	// Remembered is the remembered device of this browser; nil when there is none.
	Remembered *Remembered
	// EnrolOnly says that this session was opened by an approval, a help code or
	// staff, to add a method and do nothing else.
	EnrolOnly bool
}

// Membership is a user's place in one site, with what the site demands of its members.
type Membership struct {
	Site     string // the site's id
	SiteName string
	Kind     Kind
	Group    Group
	Status   Status
	// EndsAt is when an access with an end is over: from then on the membership counts as
	// an inactive one. Zero: it has no end.
	EndsAt time.Time
	// LoneAdmin says that this member is the site's only active Admin: nobody in the
	// site can help them, and they are ready only with two roads.
	LoneAdmin bool

	// Setting is the site's own 2FA setting, SettingSince when it was chosen (zero:
	// not known, taken as always).
	Setting      Setting
	SettingSince time.Time
	// Required2FA is the member's toggle in User Setup, with the same since.
	Required2FA      bool
	Required2FASince time.Time

	// Remember is how long the site lets a device be remembered.
	Remember Remember
	// Weakest is the weakest method the site accepts where it requires one: Email
	// (also when empty), SMS, or TOTP for "authenticator and passkey only".
	Weakest MethodKind
	// Zone is the site's time zone, for its 4 am; nil is UTC.
	Zone *time.Location

	Integrations []Integration
	Rollout      Rollout

	// SMSAvailable is the number of SMS parts the site can still send, SMSFloat how
	// many of them are kept back for its Admins.
	SMSAvailable int
	SMSFloat     int
	// FloatUsed says that this Admin has had their part of the float today: they pay
	// like everybody else until tomorrow.
	FloatUsed bool
}

// Kind is the kind of a membership. Anything but Mobile is decided as Office.
type Kind string

// The kinds of membership.
const (
	Office Kind = "office"
	Mobile Kind = "mobile"
)

// Status is the status of a membership. Anything but Active counts for nothing.
type Status string

// The statuses of a membership.
const (
	Active   Status = "active"
	Inactive Status = "inactive"
	Blocked  Status = "blocked"
)

// Setting is a site's own 2FA setting.
type Setting string

// The settings; an empty one is SettingOff.
const (
	SettingOff      Setting = "off"
	SettingPerUser  Setting = "per_user"
	SettingEveryone Setting = "everyone"
)

// Remember is how long a site lets a device be remembered after 2FA was passed on it.
type Remember string

// The limits; an empty or unknown one is RememberOff. RememberDaily ends at the next
// 4 am of the site, the others after so many times 24 hours.
const (
	RememberOff   Remember = "off"
	RememberDaily Remember = "daily"
	Remember7     Remember = "7"
	Remember14    Remember = "14"
	Remember30    Remember = "30"
)

// Xero is the kind of integration that makes 2FA required.
const Xero = "xero"

// Integration is a site's connection to an outside system, now or once.
type Integration struct {
	// Kind is the outside system. Only Xero requires anything.
	Kind  string
	State State
	// Since is when the connection became or becomes live; "tonight" is a moment
	// still to come. Zero: connected for longer than is known.
	Since time.Time
	// By is who connected it, Organisation what was connected, for the reasons.
	By           string
	Organisation string
	// DisconnectedAt is when it was last disconnected; it is kept when the site
	// connects again.
	DisconnectedAt time.Time
	// LoweredAt is when an admin with fresh 2FA lowered the requirement that the
	// disconnected Xero left behind. It counts from 7 days after the disconnect; an
	// earlier one has no effect, now or later.
	LoweredAt time.Time
}

// State is the state of a connection. Anything but Disconnected is a connection.
type State string

// The states of a connection.
const (
	Connected    State = "connected"
	Failing      State = "failing"
	Disconnected State = "disconnected"
)

// Rollout is where a site stands in the programme that turns enforcement on.
type Rollout struct {
	// Defined says that there is a rollout. Without one every connection is enforced.
	Defined bool
	// BeganAt is when it began: a connection since then or later is enforced from its
	// start. Zero: not begun.
	BeganAt time.Time
	// PrepareFrom is when this site's preparing began or begins: people are nudged
	// from then on. Zero: as soon as a date is stored.
	PrepareFrom time.Time
	// EnforceAt is the stored date of this site. Zero: no date is stored for it.
	EnforceAt time.Time
	// ExtendedUntil moves the stored date later, never earlier.
	ExtendedUntil time.Time
}

// User is what is known of the person, whatever site they enter.
type User struct {
	// Staff says that this is one of the vendor's own people.
	Staff bool
	// Wants2FA is the user's own choice, WantsSince when it was made (zero: not
	// known, taken as always).
	Wants2FA   bool
	WantsSince time.Time
	// Usual is the method the user chose as their usual way; empty when none.
	Usual MethodKind
	// ResetMarkAt is when the password was reset by email and nothing has cleared the
	// mark that this leaves. Zero: no mark.
	ResetMarkAt time.Time
	// RiskAt is the last change of password, email, mobile or methods. It ends what
	// was remembered before it.
	RiskAt  time.Time
	Methods []Method
}

// MethodKind is a way to pass the second factor.
type MethodKind string

// The methods.
const (
	Email    MethodKind = "email"
	SMS      MethodKind = "sms"
	TOTP     MethodKind = "totp"
	Passkey  MethodKind = "passkey"
	Recovery MethodKind = "recovery"
)

// Method is one method of a user. Two of one kind (two passkeys) are two methods; a
// user's set of recovery codes is one.
type Method struct {
	ID   string
	Kind MethodKind
	// LinkedAt is when an import, an admin or the user put it there.
	LinkedAt time.Time
	// ProvedAt is when a code sent to it was first typed back, or an authenticator or
	// passkey was set up with success. Zero: never.
	ProvedAt time.Time
	// LastUsedAt is the last sign-in passed with it.
	LastUsedAt time.Time
	// Pending says that the user has still to prove it in a full session.
	Pending bool
	// AwaitsProof says that this is a new email address, which becomes a method only
	// by a sign-in passed with another, proved one.
	AwaitsProof bool
	// UnprovedSent is how many codes were sent to it while it was unproved, without
	// the one that this attempt may still type.
	UnprovedSent int
	// Health is what is known of the address or number: bounced or refused ones (a
	// domain that takes no mail is refused) are dead.
	Health Health
	// ChannelHealth is what is known of delivery in general. It withholds nothing.
	ChannelHealth Health
	// RestingUntil is when the window of wrong tries frees it. Recovery codes never
	// rest.
	RestingUntil time.Time
	// Spent says that 100 wrong tries came in a row: it must be proved anew by another
	// method or a help code, or set up again. Recovery codes are never spent.
	Spent bool
	// Left is the number of unused recovery codes.
	Left int
}

// Health is what delivery has shown.
type Health string

// The healths; an empty one is HealthUnknown.
const (
	HealthUnknown Health = "unknown"
	HealthGood    Health = "good"
	HealthDelayed Health = "delayed"
	HealthBounced Health = "bounced"
	HealthRefused Health = "refused"
)

// dead says that a code sent there is known not to arrive.
func (h Health) dead() bool { return h == HealthBounced || h == HealthRefused }

// Client is the application that asks, known by its credentials and by nothing that a
// request says.
type Client struct {
	Kind ClientKind
	// ACR is the level asked for, 1 to 4; 0 when none is.
	ACR int
	// OrRecovery says that a recovery code does in place of the level, where somebody
	// proves who they are to replace what they lost.
	OrRecovery bool
	// NoRecovery says that a recovery code does not do, whatever the level: one would buy
	// ten.
	NoRecovery bool
	// MaxAge is the greatest age of a proof that counts; nil when none is asked. A
	// proof of exactly that age counts (OpenID Connect Core, 3.1.2.1).
	MaxAge *time.Duration
	// PassedSince leaves out proofs from before it: for prompt=login and max_age=0,
	// where the age at a later redirect could never be met. Zero: nothing left out.
	PassedSince time.Time
}

// ClientKind is the kind of a client. Anything but ClientMobile is held to the rules
// of the web.
type ClientKind string

// The kinds of client.
const (
	ClientWeb     ClientKind = "web"
	ClientMobile  ClientKind = "mobile"
	ClientService ClientKind = "service"
)

// Pass is a second factor that was passed in this attempt or session.
type Pass struct {
	Kind MethodKind
	At   time.Time
}

// Remembered is a remembered device.
type Remembered struct {
	// Since is when 2FA was passed on it.
	Since time.Time
	// Sites are the sites it was remembered for.
	Sites []string
}
