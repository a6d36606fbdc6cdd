package people

import (
	"strings"

	"keyturn/internal/fault"
	"keyturn/internal/policy"
)

// Verdict is how a row ends.
type Verdict string

// The verdicts.
const (
	// Accepted: the row is taken as it is.
	Accepted Verdict = "accepted"
	// Mended: the row is taken; something of it was written otherwise or left out.
	Mended Verdict = "mended"
	// Refused: nothing of the row is taken, except what it says of its site.
	Refused Verdict = "refused"
)

// Key names what a note is about. The names are stable: scripts sort reports by them.
type Key string

// Why a row is refused.
const (
	NoSiteRef      Key = "no_site_ref"
	NoUserRef      Key = "no_user_ref"
	BadRef         Key = "bad_ref"
	NoLogin        Key = "no_login"
	BadLogin       Key = "bad_login"
	BadGroup       Key = "bad_group"
	BadKind        Key = "bad_kind"
	BadStatus      Key = "bad_status"
	BadRegion      Key = "bad_region"
	BadZone        Key = "bad_time_zone"
	BadXero        Key = "bad_xero"
	BadHash        Key = "bad_hash"
	SiteIncomplete Key = "site_incomplete"
	LoginTaken     Key = "login_taken"
	RefTaken       Key = "ref_taken"
	OtherLogin     Key = "other_login"
)

// What was mended.
const (
	LoginForm      Key = "login_form"
	NameForm       Key = "name_form"
	RefForm        Key = "ref_form"
	HashForm       Key = "hash_form"
	MobileForm     Key = "mobile_form"
	MobileDropped  Key = "mobile_dropped"
	SMSDropped     Key = "sms_available_dropped"
	ManagerDropped Key = "account_manager_dropped"
	ToggleDropped  Key = "toggle_dropped"
	SiteDiffers    Key = "site_differs"
)

// What is worth knowing and changes nothing.
const (
	Undeliverable Key = "undeliverable"
	Slip          Key = "slip"
	Role          Key = "role_mailbox"
	Dummy         Key = "dummy_mailbox"
	NoPassword    Key = "no_password"
	NoAdmin       Key = "no_admin"
	HereAlready   Key = "here_already"
	SiteHere      Key = "site_here"
	XeroLeft      Key = "xero_left"
	XeroConnects  Key = "xero_connects"
)

// Note is one remark about a row: a key for programs, a sentence for people. The
// sentence repeats no address, number or hash.
type Note struct {
	Key  Key
	Text string
}

// Row is one line of the file and how it ended.
type Row struct {
	// Line is where the row begins in the file, the header being line 1.
	Line int
	// SiteRef and UserRef are the host product's references.
	SiteRef, UserRef string
	Verdict          Verdict
	// Here says that the database had the row before, so that nothing is to be written.
	Here bool
	// Stuck says that the person will be asked for a code that cannot reach them: they do
	// not get in until their email is put right.
	Stuck bool
	Notes []Note

	status policy.Status // as it is after the import
	draft  *draft
}

// remark notes something of a row that is taken. Of a refused one only the reasons are
// told: what would have been mended is of no use to anybody.
func (r *Row) remark(key Key, text string) {
	if !r.refused() {
		r.Notes = append(r.Notes, Note{Key: key, Text: text})
	}
}

func (r *Row) mend(key Key, text string) {
	r.remark(key, text)
	if r.Verdict == Accepted {
		r.Verdict = Mended
	}
}

func (r *Row) refuse(key Key, text string) {
	if !r.refused() {
		r.Verdict, r.Notes = Refused, nil
	}
	r.Notes = append(r.Notes, Note{Key: key, Text: text})
}

func (r *Row) refused() bool { return r.Verdict == Refused }

// said is the sentence of a fault.Invalid.
func said(err error) string {
	text := strings.TrimSuffix(err.Error(), ": "+fault.Invalid.Error())
	return strings.TrimPrefix(text, "password hash: ") + "."
}
