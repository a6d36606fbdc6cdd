package demo

import (
	"time"

	"keyturn/internal/locale"
	"keyturn/internal/message"
	"keyturn/internal/policy"
)

// accountManager looks after every site of the story that names no other.
const accountManager = "robin.ellery@vendor.example"

// otherManager looks after the sites that name them.
const otherManager = "casey.marsh@vendor.example"

// prepareDays and lateDays are how far off the dates of preparing sites are when the demo
// starts, at most: nothing begins on a Friday, at a weekend or on a holiday.
const (
	prepareDays = 12
	lateDays    = 26
)

// workshop is one invented site.
type workshop struct {
	ref, name, region, zone string
	twofa                   policy.Setting
	remember                policy.Remember
	sms                     int
	// manager looks after it; empty: accountManager.
	manager string

	// since is when Xero was or will be connected; nil: never.
	since            func(now time.Time, zone *time.Location) time.Time
	by, organisation string
	// unplugged says that it was disconnected just now.
	unplugged bool
	rollout   stage

	// usual is the note of everybody who has none of their own.
	usual   locale.Key
	members []member
}

// stage is where a site stands in the rollout.
type stage int

const (
	unknown   stage = iota // no rollout knows of it
	undated                // known, without a date
	preparing              // with a date to come
	later                  // with a later one
	begun                  // whose date came some days ago
)

// member is one invented person's place in a site. Empty kind and status are office and
// active.
type member struct {
	login, first, last, mobile string
	group                      policy.Group
	kind                       policy.Kind
	status                     policy.Status
	// proved says that a code was typed back once that went to the mailbox, texted one that
	// went to the mobile; twofa that 2FA is on for this person in User Setup.
	proved, texted, twofa bool
	// unmailable says that no mail can be sent to the login name.
	unmailable bool
	// refuses is why the mailbox takes no mail; dead says that this is known already.
	refuses message.Reason
	dead    bool
	note    locale.Key
	// shared says that several people have used the login in the last weeks.
	shared bool
}

// story is every site of the demo with its people. A user who is there twice, by the
// login name, is one user with two memberships.
func story() []workshop {
	return []workshop{
		bayside(), northside(), hillside(), hillsideAirport(), harbour(), pennine(), lonestar(),
		redgum(), coastline(), kauri(), thistle(), cascade(), kingfisher(),
	}
}

// lastMarch is the latest 12 March that is over, at 10:20 am site time.
func lastMarch(now time.Time, zone *time.Location) time.Time {
	year := now.In(zone).Year()
	for {
		at := time.Date(year, time.March, 12, 10, 20, 0, 0, zone)
		if at.Before(now.Add(-day)) {
			return at
		}
		year--
	}
}

// daysAgo is a moment in working hours, so many days ago.
func daysAgo(days int) func(time.Time, *time.Location) time.Time {
	return func(now time.Time, zone *time.Location) time.Time {
		return fourAM(now, zone, -days).Add(7 * time.Hour)
	}
}

// tonight is the next 4 am.
func tonight(now time.Time, zone *time.Location) time.Time {
	for days := 0; ; days++ {
		if at := fourAM(now, zone, days); at.After(now) {
			return at
		}
	}
}
