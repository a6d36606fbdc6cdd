package staff

import (
	"embed"

	"keyturn/internal/locale"
	"keyturn/internal/web"
)

//go:embed *.html *.css
var files embed.FS

// Face is the pages and styles of the vendor's console, for the kit.
func Face() web.Face {
	return web.Face{Name: "staff", Files: files}
}

// EnrolPage takes the code of `keyturn staff add`.
type EnrolPage struct {
	Email, Fault string
}

// Head implements web.Page.
func (p EnrolPage) Head() web.Head {
	return web.Head{Template: "staff/enrol", Title: locale.Say(locale.StaffEnrolTitle), Problem: p.Fault, Layout: web.Narrow}
}

// HomePage is what waits for a member of staff.
type HomePage struct {
	As, Done, Fault string
	// Joining are new members who wait for another to confirm them.
	Joining []Joining
	// Recoveries are those that are not over, the oldest first.
	Recoveries []Row
	// Elsewhere is how many more there are at sites that are not given.
	Elsewhere int
	// Proposals wait for a second person.
	Proposals []ProposalRow
	// Second is what is wrong with an answer to one.
	Second string
	// Find comes back after a search that found nobody.
	Find string
}

// Head implements web.Page.
func (p HomePage) Head() web.Head {
	return web.Head{Template: "staff/home", Title: locale.Say(locale.StaffTitle), Problem: p.Fault, Layout: web.Broad}
}

// Joining is a new member of staff.
type Joining struct{ ID, Name, Login, Since string }

// Row is one recovery of the list.
type Row struct {
	// Path is the address of its page.
	Path, Who, Site, State, Next string
}

// BeginPage begins a recovery of one user.
type BeginPage struct {
	As, Fault, User string
	Who, Login      string
	Sites           []Place
	// Numbers are those that were on file 30 days ago, masked but for the one that is called.
	Numbers []Number
	// Proved says that a method was proved, so that it takes a day.
	Proved bool
	Reason string
}

// Place is one of the user's sites.
type Place struct{ ID, Name string }

// Number is one of the user's numbers. Path is where it is shown as a whole; empty where
// it is.
type Number struct{ ID, Shown, Path string }

// Head implements web.Page.
func (p BeginPage) Head() web.Head {
	return web.Head{Template: "staff/begin", Title: locale.Say(locale.StaffBeginTitle, locale.Data{"Who": p.Who}), Problem: p.Fault, Layout: web.Narrow}
}

// RecoveryPage is one recovery.
type RecoveryPage struct {
	As, Fault, Path string
	Who, Site       string
	State           string
	Facts           []Fact
	// What may be done now, by this member of staff.
	CanConfirm, CanDecide, CanRead, CanRefuse bool
	// Wait says what is waited for. May be empty.
	Wait string
	// Code is shown this once, Until when it ends, Spelling how it is read out.
	Code, Until string
	Spelling    []Letter
}

// Fact is one line: what on the left, which on the right.
type Fact struct{ What, Which string }

// Letter is one letter or digit of a code, and how it is said.
type Letter struct{ Sign, Said string }

// Head implements web.Page.
func (p RecoveryPage) Head() web.Head {
	return web.Head{Template: "staff/recovery", Title: locale.Say(locale.StaffRecoveryTitle, locale.Data{"Who": p.Who}), Problem: p.Fault, Layout: web.Narrow}
}
