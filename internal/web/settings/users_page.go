package settings

import (
	"keyturn/internal/locale"
	"keyturn/internal/web"
)

// UsersPage is User Setup/Maintenance: the list of the site's members.
type UsersPage struct {
	Site, Path string
	// Find is what was searched for, Group the group that is chosen.
	Find, Group string
	Groups      []Pick
	Shows       []Chip
	Rows        []UserRow
	// Next is the address of the next page; empty: this is the last.
	Next string
	// Filtered says that not everyone is listed.
	Filtered bool
}

// Head implements web.Page.
func (p UsersPage) Head() web.Head {
	return web.Head{Template: "settings/users", Title: locale.Say(locale.UsersTitle), Site: p.Site, Layout: web.Broad}
}

// Chip is a filter.
type Chip struct {
	Href, Words string
	On          bool
	// Look is the mark that goes with it: "help", or empty.
	Look string
}

// Mark is a state: a word with the look that goes with it.
type Mark struct {
	// Look is ready, manage, help or none.
	Look, Words string
}

// IsReady picks the picture.
func (m Mark) IsReady() bool { return m.Look == "ready" }

// IsManage is like IsReady.
func (m Mark) IsManage() bool { return m.Look == "manage" }

// IsHelp is like IsReady.
func (m Mark) IsHelp() bool { return m.Look == "help" }

// UserRow is one member of the list.
type UserRow struct {
	// Href is the form behind the pencil.
	Href, Name, Place string
	Email, Mobile     string
	TwoFA, Last       string
	Mark              Mark
	// Why is the reason of the mark. May be empty.
	Why string
}

// UserPage is the form behind a pencil.
type UserPage struct {
	Site, Path, ID string
	// Name is the member's, First how the page speaks of them.
	Name, First string
	Mark        Mark
	Why         string
	// Done says what was done just now, Problem what could not be. Both may be empty.
	Done, Problem string
	// Fresh says that nothing has to be proved first; NeedsProof that a form was sent
	// without it.
	Fresh, NeedsProof bool
	// Elsewhere says that only the membership can be changed here, Own that it is the
	// admin themselves.
	Elsewhere, Own bool
	// Was is what the form was filled with, as a text that comes back; Sure what has to
	// come back for doubts to be passed over.
	Was, Sure string

	Email, Mobile, FirstName, LastName   string
	EmailFault, MobileFault, NameFault   string
	GroupFault, StatusFault              string
	Groups, Kinds, Statuses              []Pick
	SalesDashboard, BusinessIntelligence bool
	TwoFA, TwoFALocked, TwoFAOff         bool
	TwoFAWhy                             string
	// Doubts are what to look at before it is saved all the same, Suggested the address
	// that was probably meant.
	Doubts    []string
	Suggested string
	// AskManager offers the page on which the account manager is asked for a user.
	AskManager bool
	// AskPerson asks whether it is the same person; Before is who it was.
	AskPerson bool
	Before    string
	// Others say what somebody else changed meanwhile.
	Others []string
	// Old can undo the last change of the address until Until. May be empty.
	Old, Until string
	// Undone says that an old address took its name back lately; nil if none did.
	Undone *UndoneLine
	// SMS says how many SMS the site has.
	SMS int
	// Open is how many sessions reach the site.
	Open int
	// TestSMS says that a test code can go to the mobile, Tests what became of the last ones.
	TestSMS bool
	Tests   []TestLine
	// HelpCode says that a help code can be given.
	HelpCode bool
}

// UndoneLine says which address came back in place of which, and when.
type UndoneLine struct{ Old, New, When string }

// Head implements web.Page.
func (p UserPage) Head() web.Head {
	return web.Head{Template: "settings/user", Title: p.Name, Problem: p.Problem, Site: p.Site, Layout: web.Broad}
}

// LeftPage asks whether somebody has left, and says afterwards what they did.
type LeftPage struct {
	Site, Path, ID, Name, First string
	// Gone says that it is done.
	Gone    bool
	Problem string
	// Fresh says that nothing has to be proved first.
	Fresh bool
	// Elsewhere says that they go on at other places.
	Elsewhere bool
	Deeds     []DeedLine
	Cut       bool
}

// DeedLine is one thing that somebody did.
type DeedLine struct{ At, What, About string }

// Head implements web.Page.
func (p LeftPage) Head() web.Head {
	title := locale.Say(locale.UsersLeftTitle, locale.Data{"Name": p.Name})
	if p.Gone {
		title = locale.Say(locale.UsersGoneTitle, locale.Data{"Name": p.Name})
	}
	return web.Head{Template: "settings/left", Title: title, Problem: p.Problem, Site: p.Site, Layout: web.Broad}
}
