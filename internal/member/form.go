package member

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"keyturn/internal/address"
	"keyturn/internal/method"
	"keyturn/internal/phone"
	"keyturn/internal/policy"
	"keyturn/internal/site"
)

// Form is what the form of a member holds, as it was filled or as it was typed.
type Form struct {
	Email, Mobile, First, Last string
	Group                      policy.Group
	Kind                       policy.Kind
	Status                     policy.Status
	SalesDashboard             bool
	BusinessIntelligence       bool
	TwoFA                      bool
}

// form is what a member's form is filled with.
func (s subject) form() Form {
	return Form{
		Email: string(s.user.Login), Mobile: number(s.methods), First: s.user.FirstName, Last: s.user.LastName,
		Group: s.member.Group, Kind: kindOf(s.member.Kind), Status: s.member.Status,
		SalesDashboard: s.member.SalesDashboard, BusinessIntelligence: s.member.BusinessIntelligence, TwoFA: s.member.TwoFA,
	}
}

// kindOf gives every kind that is not mobile the name under which it is decided.
func kindOf(k policy.Kind) policy.Kind {
	if k == policy.Mobile {
		return k
	}
	return policy.Office
}

// number is the number that stands in a form: the latest one that was put there.
func number(methods []method.Method) string {
	for _, m := range slices.Backward(methods) {
		if m.Kind == policy.SMS {
			return phone.Spoken(m.Address)
		}
	}
	return ""
}

// membership is what a form makes of a membership.
func (f Form) membership(m site.Membership) site.Membership {
	m.Group, m.Status = f.Group, f.Status
	if f.Kind != kindOf(m.Kind) {
		m.Kind = f.Kind
	}
	m.SalesDashboard, m.BusinessIntelligence, m.TwoFA = f.SalesDashboard, f.BusinessIntelligence, f.TwoFA
	return m
}

// known says that the form's choices are some that there are.
func (f Form) known() bool {
	return slices.Contains(site.Groups(), f.Group) && (f.Kind == policy.Office || f.Kind == policy.Mobile) &&
		(f.Status == policy.Active || f.Status == policy.Inactive || f.Status == policy.Blocked)
}

// Field is a part of the form.
type Field string

// The fields.
const (
	FieldEmail  Field = "email"
	FieldMobile Field = "mobile"
	FieldName   Field = "name"
	FieldGroup  Field = "group"
	FieldKind   Field = "kind"
	FieldStatus Field = "status"
	FieldToggle Field = "toggle"
)

// differs lists where two forms differ, in the order of the form.
func (f Form) differs(o Form) []Field {
	var all []Field
	note := func(field Field, same bool) {
		if !same {
			all = append(all, field)
		}
	}
	note(FieldEmail, sameEmail(f.Email, o.Email))
	note(FieldMobile, sameNumber(f.Mobile, o.Mobile))
	note(FieldName, f.First == o.First && f.Last == o.Last)
	note(FieldGroup, f.Group == o.Group)
	note(FieldKind, f.Kind == o.Kind)
	note(FieldStatus, f.Status == o.Status)
	note(FieldToggle, f.SalesDashboard == o.SalesDashboard && f.BusinessIntelligence == o.BusinessIntelligence && f.TwoFA == o.TwoFA)
	return all
}

// sameEmail says that two texts are one login name.
func sameEmail(a, b string) bool {
	if a == b {
		return true
	}
	one, err := address.Login(a)
	other, err2 := address.Login(b)
	return err == nil && err2 == nil && one == other
}

// sameNumber says that two texts are one number, however they are written.
func sameNumber(a, b string) bool { return digits(a) == digits(b) }

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune("().-/", r) {
			return -1
		}
		return r
	}, s)
}

// nameMost is how many letters a first or last name has at most.
const nameMost = 60

// readName reads a name: printable, one line, not too long. An empty one is a name, too.
func readName(typed string) (string, bool) {
	name := strings.Join(strings.Fields(typed), " ")
	if !utf8.ValidString(name) || utf8.RuneCountInString(name) > nameMost {
		return "", false
	}
	for _, r := range name {
		if !unicode.IsPrint(r) {
			return "", false
		}
	}
	return name, true
}

// Doubt is something to look at before a form is saved all the same.
type Doubt string

// The doubts.
const (
	// Slip says that the address looks like a well-known one, mistyped; Saved.Suggested is
	// that one.
	Slip Doubt = "slip"
	// RoleMailbox says that it looks like one that several people read.
	RoleMailbox Doubt = "role"
	// DummyMailbox says that it looks like one that nobody has.
	DummyMailbox Doubt = "dummy"
	// SharedMobile says that Saved.Who has the same number here.
	SharedMobile Doubt = "shared_mobile"
	// Namesake says that Saved.Namesake signs in here under the same name.
	Namesake Doubt = "namesake"
	// ProvedGone says that the member has typed codes from the number that is taken away.
	ProvedGone Doubt = "proved_gone"
	// NoWayIn says that the member, or whoever takes their place, could not pass a second
	// factor any more when one is asked of them.
	NoWayIn Doubt = "no_way_in"
)

// doubtsOf are those that an address raises by itself.
func doubtsOf(to address.Canonical) (doubts []Doubt, suggested string) {
	if better, ok := address.Slip(to.Domain()); ok {
		doubts, suggested = append(doubts, Slip), to.Local()+"@"+better
	}
	for _, s := range address.Suspect(to) {
		switch s {
		case address.Role:
			doubts = append(doubts, RoleMailbox)
		case address.Dummy:
			doubts = append(doubts, DummyMailbox)
		}
	}
	return doubts, suggested
}

// sure is the word by which a form says that its doubts were looked at: it names them, and
// what they were about, so that it stands for nothing else.
func sure(doubts []Doubt, f Form) string {
	if len(doubts) == 0 {
		return ""
	}
	words := make([]string, len(doubts))
	for i, d := range doubts {
		words[i] = string(d)
	}
	about := []string{
		strings.Join(words, " "), strings.TrimSpace(f.Email), digits(f.Mobile), f.First, f.Last,
		string(f.Group), string(f.Kind), string(f.Status),
	}
	return strings.Join(about, "|")
}
