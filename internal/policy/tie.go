package policy

import (
	"cmp"
	"slices"
	"time"
)

// coolingOff is how long after a disconnect the requirement that Xero brought cannot
// be lowered.
const coolingOff = 7 * day

// tie is a connection to Xero, live or once live, that requires 2FA from a moment on.
type tie struct {
	Integration
	from  time.Time // zero: always so
	dated bool      // from is the rollout's date
	was   bool      // what requires is a connection that is live no more
}

// xero lists the connections that require 2FA of the site, the first to do so first.
func (m Membership) xero() []tie {
	var ties []tie
	for _, i := range m.Integrations {
		ties = append(ties, m.Rollout.ties(i)...)
	}
	slices.SortFunc(ties, tie.compare)
	return ties
}

// enforced says whether any of the ties requires 2FA now, and which is to be named: a
// live connection before one that was.
func (w *watch) enforced(ties []tie) (named tie, yes bool) {
	for _, t := range ties {
		if w.begun(t.from) && (!yes || named.was && !t.was) {
			named, yes = t, true
		}
	}
	return named, yes
}

// ties says from when a connection is enforced. A disconnected one is still enforced,
// from the same moment, until it is lowered. A connection made again is enforced by
// itself; the one before it, of which only the end is known, is not forgotten
// meanwhile: connecting "tonight" gives nobody an evening without 2FA.
func (r Rollout) ties(i Integration) []tie {
	if i.Kind != Xero {
		return nil
	}
	var ties []tie
	if i.State != Disconnected {
		ties = append(ties, r.tie(i)...)
		i.Since = i.DisconnectedAt
	}
	if i.once() && !i.lowered() {
		for _, t := range r.tie(i) {
			t.was = true
			ties = append(ties, t)
		}
	}
	return ties
}

// tie dates the enforcement of one connection: at once when there is no rollout or it
// had begun by then, on the site's date when one is stored, else not at all.
func (r Rollout) tie(i Integration) []tie {
	t := tie{Integration: i, from: i.Since}
	switch {
	case !r.Defined, !r.BeganAt.IsZero() && !i.Since.Before(r.BeganAt):
	case r.EnforceAt.IsZero():
		return nil
	default:
		t.dated = true
		for _, date := range []time.Time{r.EnforceAt, r.ExtendedUntil} {
			if date.After(t.from) {
				t.from = date
			}
		}
	}
	return []tie{t}
}

// once says that the connection was ever live, and not only a row that waits for one.
func (i Integration) once() bool {
	return !i.Since.IsZero() || !i.DisconnectedAt.IsZero()
}

// lowered says that the requirement left behind was lowered, and not too early.
func (i Integration) lowered() bool {
	return !i.LoweredAt.IsZero() && !i.DisconnectedAt.IsZero() &&
		!i.LoweredAt.Before(i.DisconnectedAt.Add(coolingOff))
}

// compare puts what is enforced first before the rest; of two at one moment, the live
// one.
func (t tie) compare(o tie) int {
	return cmp.Or(
		t.from.Compare(o.from), compareBool(t.was, o.was), t.Since.Compare(o.Since),
		cmp.Compare(t.By, o.By), cmp.Compare(t.Organisation, o.Organisation),
		t.DisconnectedAt.Compare(o.DisconnectedAt), compareBool(t.dated, o.dated))
}

// reasons words the tie: the connection, and the date where the rollout set one.
func (t tie) reasons(m Membership) []Reason {
	r := Reason{
		Key: XeroConnected, Site: m.Site, SiteName: m.SiteName,
		Since: t.Since, By: t.By, Organisation: t.Organisation,
	}
	if t.was {
		r.Key = XeroWasConnected
		if !t.DisconnectedAt.IsZero() {
			r.Until = t.DisconnectedAt.Add(coolingOff)
		}
	}
	if !t.dated {
		return []Reason{r}
	}
	return []Reason{r, {Key: EnforcedSince, Site: m.Site, SiteName: m.SiteName, Since: t.from}}
}
