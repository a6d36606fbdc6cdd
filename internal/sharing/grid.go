package sharing

import (
	"slices"
	"strings"
	"time"

	"keyturn/internal/session"
)

// device is one browser: a person's own random id, on one network or several.
type device struct {
	browser  string
	handheld bool
}

// at is the use of one device in one ten minutes; network is where its session began.
type at struct {
	device  device
	network string
}

// grid is the use of a login by ten minutes.
type grid struct {
	zone *time.Location
	tens map[int64][]at
}

func gridOf(t Trace) grid {
	g := grid{zone: t.Zone, tens: map[int64][]at{}}
	for _, u := range t.Uses {
		if u.Place.Browser == "" {
			continue // a browser without a cookie is nobody's
		}
		one := at{device{u.Place.Browser, handheld(u.Place.Agent)}, u.Place.Network}
		for _, ten := range u.Tens {
			if !slices.Contains(g.tens[ten], one) {
				g.tens[ten] = append(g.tens[ten], one)
			}
		}
	}
	return g
}

// handheld says that somebody may have it in hand while they sit at a computer. Safari on
// macOS is an iPad, too, which calls itself that; what calls itself nothing is counted as
// the less suspicious.
func handheld(agent string) bool {
	if agent == "Safari on macOS" {
		return true
	}
	for _, system := range []string{"Windows", "macOS", "Linux", "ChromeOS", "CrOS"} {
		if strings.HasSuffix(agent, "on "+system) {
			return false
		}
	}
	return true
}

// dayOf numbers the site's days, which begin at 4 am.
func dayOf(ten int64, zone *time.Location) int {
	if zone == nil {
		zone = time.UTC
	}
	local := time.Unix(ten*int64(session.Ten/time.Second), 0).In(zone).Add(-4 * time.Hour)
	y, m, d := local.Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// hourOf numbers the hours since 1970.
func hourOf(ten int64) int64 { return ten / int64(time.Hour/session.Ten) }

// pair is two computers that are used in one ten minutes. Where it is one network and two,
// because one of them has sessions of both, it is both kinds.
type pair struct {
	one, other string
	apart      bool
}

// pairs are those of one ten minutes.
func (g grid) pairs(ten int64) map[pair]bool {
	found := map[pair]bool{}
	here := g.tens[ten]
	for i, a := range here {
		for _, b := range here[i+1:] {
			if a.device.handheld || b.device.handheld || a.device.browser == b.device.browser {
				continue
			}
			one, other := min(a.device.browser, b.device.browser), max(a.device.browser, b.device.browser)
			found[pair{one, other, a.network != b.network}] = true
		}
	}
	return found
}

// through counts the days on which two computers were both used in every ten minutes of an
// hour: on two networks, and on one.
func (g grid) through() (apart, room int) {
	paired := map[int64]map[pair]bool{}
	for ten, here := range g.tens {
		if len(here) > 1 {
			paired[ten] = g.pairs(ten)
		}
	}
	days := map[bool]map[int]bool{true: {}, false: {}}
	for ten, pairs := range paired {
		for p := range pairs {
			whole := true
			for n := int64(1); n < through && whole; n++ {
				whole = paired[ten+n][p]
			}
			if whole {
				days[p.apart][dayOf(ten, g.zone)] = true
			}
		}
	}
	return len(days[true]), len(days[false])
}

// atOnce counts the days on which more devices were used within ten minutes than one person
// has hands for, and gives the most of them.
func (g grid) atOnce() (on, devices int) {
	days := map[int]bool{}
	for ten, here := range g.tens {
		seen := map[device]bool{}
		computers, handhelds := 0, 0
		for _, a := range here {
			if seen[a.device] {
				continue
			}
			seen[a.device] = true
			if a.device.handheld {
				handhelds++
			} else {
				computers++
			}
		}
		if computers >= computersAtOnce || handhelds >= handheldsAtOnce || computers+handhelds >= devicesAtOnce {
			days[dayOf(ten, g.zone)] = true
			devices = max(devices, computers+handhelds)
		}
	}
	return len(days), devices
}

// longDays counts the days on which computers were used in more hours than one person works
// at one. A telephone is looked at from morning till night.
func (g grid) longDays() int {
	tens := map[int64]int{}
	for ten, here := range g.tens {
		if slices.ContainsFunc(here, func(a at) bool { return !a.device.handheld }) {
			tens[hourOf(ten)]++
		}
	}
	hours := map[int]int{}
	for hour, n := range tens {
		if n >= worked {
			hours[dayOf(hour*int64(time.Hour/session.Ten), g.zone)]++
		}
	}
	n := 0
	for _, h := range hours {
		if h >= longDay {
			n++
		}
	}
	return n
}

// regular counts the computers that were used on several days.
func (g grid) regular() int {
	days := map[string]map[int]bool{}
	for ten, here := range g.tens {
		for _, a := range here {
			if a.device.handheld {
				continue
			}
			if days[a.device.browser] == nil {
				days[a.device.browser] = map[int]bool{}
			}
			days[a.device.browser][dayOf(ten, g.zone)] = true
		}
	}
	n := 0
	for _, d := range days {
		if len(d) >= regularDays {
			n++
		}
	}
	return n
}
