package policy

import "time"

// sessionCap is the longest a session lasts (ATO practice, NIST SP 800-63B AAL2).
const sessionCap = 24 * time.Hour

// fourAM is the hour at which sites begin their day: nobody works, whatever the trade.
const fourAM = 4

// NextFour is the first 4 am after a moment on the clocks of a zone; nil is UTC. Where
// the clocks change, it may be 23 or 25 hours after the one before. At 4 am itself it
// is the next day's.
func NextFour(after time.Time, zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	year, month, date := after.In(zone).Date()
	for {
		four := time.Date(year, month, date, fourAM, 0, 0, 0, zone)
		if four.After(after) {
			return four
		}
		date++
	}
}

// SessionEnd is when a session ends, whatever happens in it: at the first 4 am, site
// time, at which one of its sites requires 2FA of this member, and 24 hours after it
// started at most. A requirement whose date is known and to come is in it already. A
// start in the future, by another node's clock, counts as now.
func SessionEnd(memberships []Membership, startedAt, now time.Time) time.Time {
	if startedAt.After(now) {
		startedAt = now
	}
	end := startedAt.Add(sessionCap)
	for _, m := range memberships {
		for four := NextFour(startedAt, m.Zone); four.Before(end); four = NextFour(four, m.Zone) {
			if m.requires(four) {
				end = four
			}
		}
	}
	return end
}
