package settings

import (
	"keyturn/internal/locale"
	"keyturn/internal/readiness"
	"keyturn/internal/web"
)

// ReadinessPage says who will get in, and gives one button for each of the others.
type ReadinessPage struct {
	Site, Path string
	Done       []string
	// Sum is the sentence with the one number, Office how many would be asked.
	Sum    []locale.Run
	Office int
	Bar    Shares
	// When is the site's date; empty where none is to come, as HasDate says.
	When    string
	HasDate bool
	// Lone says that the only Admin could be helped by nobody here.
	Lone   bool
	Groups []ReadyGroup
	// Rehearsed is what real sign-ins say of the day that is to come.
	Rehearsed Rehearsed
	// Remindable is how many have a button to be reminded.
	Remindable int
	Manager    web.Contact
}

// ReadyGroup is the people of one mark.
type ReadyGroup struct {
	Look, Title, Hint string
	Count             int
	People            []ReadyPerson
}

// ReadyPerson is one of them. At most one of Fix, Ask, Wait, CanRemind and
// Reminded is there.
type ReadyPerson struct {
	ID, Name, Login, Group string
	Lacks                  []string
	// Fix is the page where it is mended, FixWords what that is.
	Fix, FixWords string
	// Ask says that the account manager is asked, Wait that time mends it.
	Ask  bool
	Wait string
	// CanRemind says that they are told by mail what to do; Own that it is the reader.
	CanRemind, Own bool
	// Reminded says when that was, in place of the button; empty: not within the week.
	Reminded string
}

// Shares are the parts of a bar, 100 wide together, from the left.
type Shares struct {
	Ready, Manage, Help    float64
	ManageFrom, HelpFrom   float64
	ReadyN, ManageN, HelpN int
}

// barOf is a bar of the people who would be asked.
func barOf(c readiness.Counts) Shares {
	s := Shares{ReadyN: c.Ready, ManageN: c.WillManage, HelpN: c.NeedsHelp}
	if c.Office() == 0 {
		return s
	}
	part := func(n int) float64 { return float64(n*1000/c.Office()) / 10 }
	s.Ready, s.Help = part(c.Ready), part(c.NeedsHelp)
	s.ManageFrom, s.HelpFrom = s.Ready, 100-s.Help
	s.Manage = s.HelpFrom - s.ManageFrom
	return s
}

// Head implements web.Page.
func (p ReadinessPage) Head() web.Head {
	return web.Head{Template: "settings/readiness", Title: locale.Say(locale.ReadinessTitle), Site: p.Site, Layout: web.Broad, Help: "admins#readiness"}
}

// PosterPage is a sheet for the tea room.
type PosterPage struct {
	Site, Path string
	// Day says from when on it is so, Ask whom to ask.
	Day, Ask string
}

// Head implements web.Page.
func (p PosterPage) Head() web.Head {
	return web.Head{Template: "settings/poster", Title: locale.Say(locale.PosterTitle), Site: p.Site, Layout: web.Broad, Help: "admins#tell"}
}
