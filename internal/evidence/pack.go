package evidence

import (
	"time"

	"keyturn/internal/policy"
)

// Form is the form of a pack. Its names stay; fields are added.
const Form = "keyturn evidence 1"

// Pack is all that is not of one site.
type Pack struct {
	Form string `json:"form"`
	// Origin is whose key signed it, Vendor and Version what it is about.
	Origin  string `json:"origin"`
	Vendor  string `json:"vendor"`
	Version string `json:"version"`
	// At is the moment of the snapshot.
	At time.Time `json:"at"`
	// From and Until bound the period of the sign-ins: from the one on, before the other.
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
	// Whole says that it is about every site, and not about some that were chosen.
	Whole  bool   `json:"whole"`
	Totals Totals `json:"totals"`
	// Rules are the policy in force everywhere; what a site chose stands with the site.
	Rules      []Words   `json:"rules"`
	Deviations []Words   `json:"deviations"`
	Doors      []Words   `json:"doors_not_covered"`
	Limits     []Words   `json:"not_shown_here"`
	Controls   []Control `json:"controls"`
	// Checkpoint is where the chains of the audit trail stood: a signed note, as
	// "keyturn audit verify --against" reads it.
	Checkpoint string `json:"audit_checkpoint"`
}

// File is a pack as it is written: one line a site.
type File struct {
	Pack

	Sites []Site `json:"sites"`
}

// Words is something that is said, with a key that stays.
type Words struct {
	Key   string `json:"key"`
	Words string `json:"words"`
}

// Control is one demand of a standard, and how it is answered.
type Control struct {
	Standard string `json:"standard"`
	// Number is where the standard has it, Title what it is about.
	Number string `json:"number"`
	Title  string `json:"title"`
	Answer Answer `json:"answer"`
	Words  string `json:"words"`
}

// Answer is how a demand is answered.
type Answer string

// The answers.
const (
	// Met says that the product does it.
	Met Answer = "met"
	// Deviation says that it does not, or not wholly, and the words say why.
	Deviation Answer = "deviation"
	// NotApplicable says that there is nothing that it could be asked of.
	NotApplicable Answer = "not_applicable"
	// VendorsOwn says that it is not the product's to show.
	VendorsOwn Answer = "vendors_own"
)

// Totals are sums over the sites of the pack.
type Totals struct {
	// Sites are all sites, Listed those that have or had a connection to Xero: they are the
	// ones in the list.
	Sites  int `json:"sites"`
	Listed int `json:"sites_listed"`
	// Connected are the listed ones by the state of the connection.
	Connected    int `json:"connected"`
	Failing      int `json:"failing"`
	Disconnected int `json:"disconnected"`
	// Enforced requires 2FA of every office member now, for Xero; ToCome has a date;
	// Gated are those whose date was moved, to a day that is still to come, because no Admin
	// was sure to get in.
	Gated int `json:"gated"`
	// HeldBack is connected and has none.
	Enforced int `json:"enforced"`
	ToCome   int `json:"date_to_come"`
	HeldBack int `json:"held_back"`
	// Extended are those whose date was moved later, to a day that is still to come.
	Extended int `json:"extended"`
	// OfficeMembers are the active office members of the listed sites, one for each
	// membership; the readiness sums up to it.
	OfficeMembers int       `json:"office_members"`
	Readiness     Readiness `json:"readiness"`
	// Exempt are the active members of whom nothing is asked.
	Exempt int `json:"exempt"`
	// Methods counts the office members who have proved each kind.
	Methods map[policy.MethodKind]int `json:"methods_proved"`
	// SharedLogins is how many logins several people may use, that nobody has looked at.
	SharedLogins int     `json:"shared_logins_open"`
	SignIns      SignIns `json:"sign_ins"`
}

// Readiness counts office members by what would happen to them if 2FA were asked now.
type Readiness struct {
	Ready      int `json:"ready"`
	WillManage int `json:"will_manage"`
	NeedsHelp  int `json:"needs_help"`
}

// SignIns counts the times that a site was entered in the period. The five below All sum up
// to it.
type SignIns struct {
	All int `json:"all"`
	// Passed ended with a second factor, Levels says which acr was reached how often.
	Passed int            `json:"second_factor"`
	Levels map[string]int `json:"by_acr,omitempty"`
	// Remembered were on a device on which the second factor had been passed.
	Remembered int `json:"remembered_device"`
	// Exempt are of mobile members, in the mobile app.
	Exempt int `json:"exempt"`
	// Before had no second factor, at a site that did not require one then.
	Before int `json:"before_enforcement"`
	// Without had none at a site that did. There must be none.
	Without int `json:"without_second_factor"`
}

// Site is one site that has or had a connection to Xero.
type Site struct {
	ID   string `json:"id"`
	Ref  string `json:"ref"`
	Name string `json:"name"`
	Zone string `json:"time_zone"`

	Xero        Connection  `json:"xero"`
	Requirement Requirement `json:"requirement"`
	Settings    Settings    `json:"settings"`
	// Dates are those of the rollout; nil where no rollout knows of the site.
	Dates *Dates `json:"rollout,omitempty"`

	Readiness Readiness `json:"readiness"`
	// Members are the active office members, those who need help first.
	Members []Member `json:"office_members"`
	// Exempt are active members of whom nothing is asked; Exceptions what puts the site
	// itself off.
	Exempt       []Exempt    `json:"exempt"`
	Exceptions   []Exception `json:"exceptions"`
	SharedLogins int         `json:"shared_logins_open"`

	SignIns SignIns `json:"sign_ins"`
	// Without are the first of the sign-ins that had no second factor at an enforced site.
	Without []SignIn `json:"without_second_factor"`
	Trail   Trail    `json:"trail"`
}

// Connection is a site's connection to Xero, now or once.
type Connection struct {
	State        policy.State `json:"state"`
	Organisation string       `json:"organisation"`
	// Since is absent where it is longer ago than is known.
	Since          time.Time `json:"since,omitzero"`
	By             string    `json:"by"`
	DisconnectedAt time.Time `json:"disconnected_at,omitzero"`
	LoweredAt      time.Time `json:"requirement_lowered_at,omitzero"`
}

// Requirement is what Xero makes required of every office member of the site.
type Requirement struct {
	Enforced bool `json:"enforced"`
	// Since is when it began, absent where it is longer ago than is known.
	Since time.Time `json:"since,omitzero"`
	// From is the date that is to come, of one that is not enforced.
	From time.Time `json:"from,omitzero"`
	// Reasons are the policy's, by their keys.
	Reasons []policy.ReasonKey `json:"reasons"`
}

// Settings are what the site chose, and what of it is in force.
type Settings struct {
	TwoFA   policy.Setting    `json:"two_fa"`
	Weakest policy.MethodKind `json:"weakest_method"`
	// Remember is what was chosen, RememberNow what holds: with Xero at most daily.
	Remember    policy.Remember `json:"remember"`
	RememberNow policy.Remember `json:"remember_in_force"`
}

// Dates are a site's dates in the rollout.
type Dates struct {
	BeganAt       time.Time `json:"began_at"`
	PrepareFrom   time.Time `json:"prepare_from,omitzero"`
	EnforceAt     time.Time `json:"enforce_at,omitzero"`
	ExtendedUntil time.Time `json:"extended_until,omitzero"`
}

// Member is an active office member. Nobody is named: an auditor who draws a sample asks the
// vendor by the id.
type Member struct {
	User string `json:"user"`
	// Login is masked.
	Login     string       `json:"login"`
	Group     policy.Group `json:"group"`
	Readiness policy.Mark  `json:"readiness"`
	// Lacks says why each way would not do, by the policy's keys.
	Lacks   []policy.WithheldKey `json:"lacks,omitempty"`
	Methods []Method             `json:"methods"`
}

// Method is one kind of way, and how many of it there are.
type Method struct {
	Kind policy.MethodKind `json:"kind"`
	// Proved says that a code or a key of one of them was once accepted.
	Proved bool `json:"proved"`
	Count  int  `json:"count"`
}

// Exempt is somebody of whom nothing is asked.
type Exempt struct {
	User string `json:"user"`
	// Login is masked.
	Login string       `json:"login"`
	Group policy.Group `json:"group"`
	Why   Why          `json:"why"`
}

// Exception is what puts a site off.
type Exception struct {
	Why Why `json:"why"`
	// Until is when it ends; absent for one without an end.
	Until time.Time `json:"until,omitzero"`
	// Reason and By are of an extension: why it was given, in the words of who gave it, and
	// what they are ("staff"). Absent where that is not known.
	Reason string `json:"reason,omitempty"`
	By     string `json:"by,omitempty"`
}

// Why is the reason of an exemption. It is never renamed.
type Why string

// The reasons.
const (
	// MobileMember may use the mobile app and nothing else; the mandate excepts them.
	MobileMember Why = "mobile_member"
	// AccessEnded is somebody whose access has ended and who cannot sign in.
	AccessEnded Why = "access_ended"
	// Extension moved the site's date later. Who gave it stands in its trail.
	Extension Why = "extension"
	// Gated is a site whose date was moved because none of its Admins was sure to get in.
	Gated Why = "no_proved_admin"
	// HeldBack is a site that was connected before the rollout and has no date yet.
	HeldBack Why = "held_back"
	// NotYet is a connection that becomes live at a moment to come.
	NotYet Why = "connection_to_come"
	// Lowered is a connection that ended, whose requirement an admin lowered 7 days later
	// or more.
	Lowered Why = "requirement_lowered"
)

// SignIn is one that had no second factor where one was required, with its why-record.
type SignIn struct {
	At    time.Time `json:"at"`
	Event string    `json:"event"`
	Seq   int64     `json:"seq"`
	User  string    `json:"user"`
	// Record is what the policy said then, as the trail has it.
	Record map[string]string `json:"record"`
}

// Trail is where the site's chain of the audit trail stood.
type Trail struct {
	Events int64 `json:"events"`
	// Since is when the oldest event was that is kept. What was signed in before it is not
	// counted.
	Since time.Time `json:"since,omitzero"`
}
