package settings

import (
	"keyturn/internal/locale"
	"keyturn/internal/trail"
	"keyturn/internal/web"
)

// AuditPage is the site's audit trail.
type AuditPage struct {
	Site, Path, Fault string
	Query             AuditQuery
	// Since is the day of the oldest event that is kept; Days for how many days events are
	// kept at least, 0 for good.
	Since string
	Days  int
	// Events are a page of them, the newest first. Older and Newest are the addresses of
	// other pages; each may be empty.
	Events        []Event
	Older, Newest string
	// Key is the public key, Checkpoint the last signed note and CheckpointDay its day,
	// both empty before the first one. Size is how many events there ever were.
	Key, Checkpoint, CheckpointDay string
	Size                           int
	// Command is what is typed to check a copy.
	Command string
	// Chosen is the form of a copy for which a proof was missing. May be empty.
	Chosen trail.Format
}

// Head implements web.Page.
func (p AuditPage) Head() web.Head {
	return web.Head{Template: "settings/audit", Title: locale.Say(locale.AuditTitle), Problem: p.Fault, Site: p.Site, Layout: web.Broad}
}

// AuditQuery is what was searched for: as it was typed.
type AuditQuery struct {
	Person, Group, From, Until string
	Groups                     []Choice

	before string
}

// Any says that something was searched for.
func (q AuditQuery) Any() bool {
	return q.Person != "" || q.Group != "" || q.From != "" || q.Until != ""
}

// Choice is one of a list.
type Choice struct {
	Value, Words string
	Chosen       bool
}

// Event is one event of the trail.
type Event struct {
	// What is the sentence, At when it was, By who did it, and From where: a network and a
	// browser. From may be empty.
	What, At, By, From string
	// Address is where something was sent or put on file, Reference what the person's page
	// showed. Each may be empty.
	Address, Reference string
	// Outcome and Reasons are why the policy decided so. May be empty.
	Outcome string
	Reasons []string
}
