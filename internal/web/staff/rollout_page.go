package staff

import (
	"keyturn/internal/locale"
	"keyturn/internal/web"
)

// RolloutPage is the board of the rollout, or the draft of one.
type RolloutPage struct {
	// There says that there is one; Draft that it has not started, Running and Paused how it
	// stands else.
	There, Draft, Running, Paused bool
	Name, Owner, State            string
	// Tolerance is the brake's, of a hundred sign-ins.
	Tolerance int
	// Why is what the brake saw when it stopped; empty if it did not.
	Why  string
	Done string
	// Fault is what is wrong with what was asked; Prove is where to prove first who one is.
	Fault, Prove string
	// Placing says that sites are still getting their places, Looking that some were not
	// looked at.
	Placing, Looking string
	Totals           []Fact
	Waves            []WaveRow
	// Rest is how the sites in no wave stand; empty if there is none.
	Rest string
	// CanEnd says that every date has come.
	CanEnd bool
	// Chart is the sign-ins of the last days, ChartWords the same for whoever cannot see it.
	Chart      []ChartDay
	ChartWide  int
	ChartWords string
	Numbers    []DayRow
	// Shadow says how people would have fared, Would where most would have been stuck.
	Shadow string
	Would  []SiteLine
	Stuck  []SiteLine
	Brake  []BrakeRow
	Stops  []string
}

// Head implements web.Page.
func (p RolloutPage) Head() web.Head {
	return web.Head{Template: "staff/rollout", Title: locale.Say(locale.RolloutTitle), Problem: p.Fault, Layout: web.Broad}
}

// WaveRow is one wave.
type WaveRow struct {
	Number          int
	Name, Day, Pick string
	// Look is ready, manage or help, State its words.
	Look, State string
	// Begins and Width place it on the track of 1000, Today is where today is, -1 if beside.
	Begins, Width, Today int
	Track                string
	Facts                []Fact
	// Path lists its sites; Notes are links to some of them.
	Path  string
	Notes []SiteLine
	// CanMove and CanBack say what may be done with it now.
	CanMove, CanBack bool
	// Proposed says that its roll back waits for a second person.
	Proposed bool
	// Typed says that Move or Reason is what was typed.
	Typed        bool
	Move, Reason string
}

// SiteLine is a site with something about it.
type SiteLine struct{ Path, Name, Words string }

// ChartDay is one day of the chart, its bars in units of a drawing 60 high.
type ChartDay struct {
	Wave, Control Bars
	// Label is the day, at X.
	X int
}

// Bars are one group of a day: passed below, then late, then stuck.
type Bars struct{ X, PassedY, Passed, LateY, Late, StuckY, Stuck int }

// DayRow is one day in numbers.
type DayRow struct{ Day, Wave, Control string }

// BrakeRow is how near the brake is to stopping a wave.
type BrakeRow struct {
	Name, Words, Chart string
	Strength           int // of 1000
}

// RolloutPlanPage is the form of a draft.
type RolloutPlanPage struct {
	Name, Owner, Fault string
	// Tolerance is the brake's, as typed.
	Tolerance string
	Waves     []WaveForm
	Picks     []Choice
}

// Head implements web.Page.
func (p RolloutPlanPage) Head() web.Head {
	return web.Head{Template: "staff/rolloutplan", Title: locale.Say(locale.RolloutPlanTitle), Problem: p.Fault, Layout: web.Broad}
}

// WaveForm is one wave as it is typed.
type WaveForm struct {
	Number                 int
	Title                  string
	Name, Pick, Value, Day string
	Picks                  []Choice
}

// Choice is one of several.
type Choice struct {
	Value, Words string
	On           bool
}

// RolloutSitesPage lists sites of the rollout.
type RolloutSitesPage struct {
	Title, Find string
	Wave        string
	Only        string
	Filters     []Filter
	Rows        []RolloutRow
	Next        string
}

// Head implements web.Page.
func (p RolloutSitesPage) Head() web.Head {
	return web.Head{Template: "staff/rolloutsites", Title: p.Title, Layout: web.Broad}
}

// Filter is a link to a narrower list.
type Filter struct {
	Path, Words string
	On          bool
}

// RolloutRow is one site of the list.
type RolloutRow struct {
	Path, Name, Ref     string
	Help, Manage, Ready int
	Looked              bool
	Date, Wave, Note    string
	Unproved            bool
}

// RolloutSitePage is one site of the rollout.
type RolloutSitePage struct {
	Path, Name, Ref string
	Done            string
	// Fault is what is wrong with what was asked, Prove as in RolloutPage.
	Fault, Prove       string
	Facts              []Fact
	CanExtend          bool
	To, Reason, Closed string
	// Rehearsed is as in SitePage, and names nobody: the list of all sites is everybody's of
	// the staff. People is the page that does, where it is the reader's.
	Rehearsed, People string
}

// Head implements web.Page.
func (p RolloutSitePage) Head() web.Head {
	return web.Head{Template: "staff/rolloutsite", Title: p.Name, Problem: p.Fault, Layout: web.Broad}
}
