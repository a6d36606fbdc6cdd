package door

import (
	"keyturn/internal/locale"
	"keyturn/internal/web"
)

// StopPage is behind the link of a message about a recovery: it says what was asked, and
// its button is the form POST /stop/{token}.
type StopPage struct {
	// Token is that of the link.
	Token string
	// Site is the site that was named. May be empty.
	Site string
}

// Head implements web.Page.
func (p StopPage) Head() web.Head {
	return web.Head{Template: "door/stop", Title: locale.Say(locale.StopTitle), Site: p.Site}
}

// Stopped is what became of a stop.
type Stopped int

// What may become of it.
const (
	// StopDone: the recovery is contested; staff decide on papers.
	StopDone Stopped = iota
	// StopDecided: staff have looked at papers and decided already.
	StopDecided
	// StopOver: the recovery has ended.
	StopOver
	// StopGone: there is no such link.
	StopGone
)

// StopDonePage says what became of it. The vendor's support stands on it in every case.
type StopDonePage struct {
	What Stopped
}

// Head implements web.Page.
func (p StopDonePage) Head() web.Head {
	return web.Head{Template: "door/stopdone", Title: p.Heading()}
}

// Heading is the one thing to know on this page.
func (p StopDonePage) Heading() string {
	switch p.What {
	case StopDone:
		return locale.Say(locale.StopDoneTitle)
	case StopDecided:
		return locale.Say(locale.StopDecidedTitle)
	case StopOver:
		return locale.Say(locale.StopOverTitle)
	case StopGone:
	}
	return locale.Say(locale.StopGoneTitle)
}

// Words say what that means and what to do.
func (p StopDonePage) Words() string {
	switch p.What {
	case StopDone:
		return locale.Say(locale.StopDoneWords)
	case StopDecided:
		return locale.Say(locale.StopDecidedWords)
	case StopOver:
		return locale.Say(locale.StopOverWords)
	case StopGone:
	}
	return locale.Say(locale.StopGoneWords)
}

// Done says that it is contested now.
func (p StopDonePage) Done() bool { return p.What == StopDone }
