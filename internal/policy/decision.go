package policy

import (
	"cmp"
	"slices"
	"time"
)

// Outcome is what happens next, in rising order.
type Outcome int

// The outcomes.
const (
	// Allow: go on, nothing asked.
	Allow Outcome = iota
	// Nudge: go on, but show the set-up and the date that is to come.
	Nudge
	// Ask: pass one of the methods offered. With none offered all of them rest.
	Ask
	// Enrol: no method can work; an admin, a help code or staff must open a session
	// that can add one.
	Enrol
	// Refuse: not here; the reasons say what to do instead.
	Refuse
)

// String is the outcome's stable name, for the audit trail and metrics.
func (o Outcome) String() string {
	switch o {
	case Allow:
		return "allow"
	case Nudge:
		return "nudge"
	case Ask:
		return "ask"
	case Enrol:
		return "enrol"
	case Refuse:
		return "refuse"
	}
	return "unknown"
}

// GoesOn says that the person is not held up.
func (o Outcome) GoesOn() bool { return o == Allow || o == Nudge }

// Decision is the answer of the policy.
type Decision struct {
	Outcome Outcome
	// Sites are the ids of the memberships' sites that count, sorted: what a session
	// that goes on may enter. A mobile membership is never among them on the web.
	Sites []string
	// Level is the acr that must be reached, 1 when no second factor is required.
	Level int
	// Offered are the methods that would be accepted and can work now, of an Ask
	// only; passing any of them is enough. Sorted by kind, then id.
	Offered []Offer
	// Default is the kind to begin with; empty when nothing is offered.
	Default MethodKind
	// NotOffered says of every other method why not, of Nudge, Ask and Enrol: for a
	// Nudge, what would stand in the way on the date.
	NotOffered []Withheld
	// Reasons led here: what is required first, in the order of the rules, then what
	// met it or did not.
	Reasons []Reason
	// Help is who can let the person in when the outcome is Enrol.
	Help Fixer
	// ValidUntil is the next moment at which the answer could change by time alone:
	// before it, it does not. Zero: time alone changes nothing.
	ValidUntil time.Time
}

// Offer is a method that may be passed now.
type Offer struct {
	ID   string
	Kind MethodKind
	// Proved is false for an address or number whose first code proves it.
	Proved bool
	// Channel is the health of delivery, so that the page can say "mail is slow now".
	Channel Health
	// Site pays for the code, where the method is SMS.
	Site string
}

// Withheld is a method that is not offered. ID is empty for one the user does not have.
type Withheld struct {
	ID   string
	Kind MethodKind
	Key  WithheldKey
	// Until is when a resting method may be tried again; zero for everything else.
	Until time.Time
	// Fix is who can mend it.
	Fix Fixer
}

// WithheldKey is the stable name of why a method is not offered.
type WithheldKey string

// Why a method is not offered. One key a method, the first that applies; only SMS may
// have two, because the number and the balance are mended by different people.
const (
	NoEmail          WithheldKey = "no_email"            // no address on the user
	NoMobile         WithheldKey = "no_mobile"           // no number on the user
	NotSetUp         WithheldKey = "not_set_up"          // never set up, or not to the end
	NoCodesLeft      WithheldKey = "no_codes_left"       // every recovery code is used
	PendingProof     WithheldKey = "pending"             // to be proved in a full session
	TooWeakForSite   WithheldKey = "too_weak_for_site"   // a site accepts only stronger ones
	TooWeakForClient WithheldKey = "too_weak_for_client" // the client asks for a higher level
	NotForStaff      WithheldKey = "not_for_staff"       // staff: authenticator or passkey only
	ResetMark        WithheldKey = "reset_mark"          // the password was reset by email
	SpentMethod      WithheldKey = "spent"               // 100 wrong tries in a row
	AwaitsProof      WithheldKey = "awaits_proof"        // new address, waits for another method
	EmailBounced     WithheldKey = "email_bounced"       // the address is known dead
	NumberRefused    WithheldKey = "number_refused"      // the number is known dead
	NotProved        WithheldKey = "not_proved"          // unproved while another method is proved
	UnprovedSpent    WithheldKey = "unproved_spent"      // the unproved number had its 3 codes
	NoSMSAvailable   WithheldKey = "no_sms_available"    // no site reached can pay for an SMS
	Resting          WithheldKey = "resting"             // too many wrong tries, until Until
)

// Fixer is who can mend something.
type Fixer string

// Who can mend something. AccountManager stands for the vendor's people.
const (
	FixSelf           Fixer = "self"
	FixAdmin          Fixer = "admin"
	FixAccountManager Fixer = "account_manager"
)

// Reason is one fact that led to a decision. The page puts it in words, the audit trail
// stores it; fields that a key does not use are empty.
type Reason struct {
	Key          ReasonKey  `json:"key"`
	Site         string     `json:"site,omitempty"`
	SiteName     string     `json:"site_name,omitempty"`
	Since        time.Time  `json:"since,omitzero"`
	Until        time.Time  `json:"until,omitzero"`
	By           string     `json:"by,omitempty"`
	Organisation string     `json:"organisation,omitempty"`
	Method       MethodKind `json:"method,omitempty"`
	Level        int        `json:"level,omitempty"`
}

// ReasonKey is the stable name of a reason.
type ReasonKey string

// The reasons, with the fields that each fills besides Site and SiteName.
const (
	// Refused.
	NoMembership ReasonKey = "no_membership" // no membership at all
	IsInactive   ReasonKey = "inactive"      // this membership is not active; Since: its access ended then
	IsBlocked    ReasonKey = "blocked"       // this membership is blocked
	MobileOnWeb  ReasonKey = "mobile_on_web" // a mobile membership, asked for on the web

	// Required.
	IsStaff              ReasonKey = "staff"
	XeroConnected        ReasonKey = "xero_connected"         // Since, By, Organisation
	XeroWasConnected     ReasonKey = "xero_was_connected"     // Since, By, Organisation; Until: from when it may be lowered
	EnforcedSince        ReasonKey = "enforced_since"         // Since: the rollout's date for the site
	SiteRequiresEveryone ReasonKey = "site_requires_everyone" // Since
	SiteRequiresMember   ReasonKey = "site_requires_member"   // Since
	OwnChoice            ReasonKey = "own_choice"             // Since
	ClientAsks           ReasonKey = "client_asks"            // Level

	// Met, or not.
	WasPassed            ReasonKey = "passed"                // Method, Since
	PassNotEnough        ReasonKey = "pass_not_enough"       // Method, Since: too weak, too old or marked
	DeviceRemembered     ReasonKey = "device_remembered"     // Since, Until
	DeviceNotRemembered  ReasonKey = "device_not_remembered" // Since, Until: its limit, where there was one
	ChangedSinceRemember ReasonKey = "changed_since_remembered"
	NothingRequired      ReasonKey = "nothing_required"
	MobileExempt         ReasonKey = "mobile_exempt"
	DateToCome           ReasonKey = "date_to_come" // Since: connected; Until: the date
	NotReady             ReasonKey = "not_ready"    // with date_to_come: what NotOffered lists stands in the way
	EnrolOnlySession     ReasonKey = "enrol_only"
	EveryMethodRests     ReasonKey = "every_method_rests" // Until: the first may be tried again
	NoMethodCanWork      ReasonKey = "no_method_can_work"
)

// compare orders reasons of one rank, so that the order of facts never shows.
func (r Reason) compare(o Reason) int {
	return cmp.Or(
		cmp.Compare(r.Site, o.Site), cmp.Compare(r.Key, o.Key), cmp.Compare(r.SiteName, o.SiteName),
		r.Since.Compare(o.Since), r.Until.Compare(o.Until),
		cmp.Compare(r.By, o.By), cmp.Compare(r.Organisation, o.Organisation), cmp.Compare(r.Method, o.Method))
}

// sorted puts reasons of one rank in their order.
func sorted(rs []Reason) []Reason {
	slices.SortFunc(rs, Reason.compare)
	return rs
}
