package sharing

import (
	"strings"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/session"
)

// Trace is what is known of the use of one login at one site, in the last 30 days.
type Trace struct {
	// Zone is the site's, for its days, which begin at 4 am.
	Zone        *time.Location
	Login       address.Canonical
	First, Last string
	// Names are all names that the login has had.
	Names []string
	Uses  []session.Uses
	// Crossed are the times at which a code sent for one device was typed on another.
	Crossed []time.Time
}

// Kind is what speaks for several people.
type Kind string

// The kinds of evidence. They are never renamed: the audit trail holds them.
const (
	// SideBySide: two computers on two networks were used through the same hour.
	SideBySide Kind = "side_by_side"
	// SameRoom: two computers on one network were.
	SameRoom Kind = "same_room"
	// AtOnce: so many devices were used within the same ten minutes.
	AtOnce Kind = "at_once"
	// LongDays: computers were used in more hours of a day than one person works.
	LongDays Kind = "long_days"
	// ManyComputers: so many computers were used regularly.
	ManyComputers Kind = "many_computers"
	// Crossed: a code that was sent for one device was typed on another.
	Crossed Kind = "crossed"
	// RoleMailbox: the address is that of a place.
	RoleMailbox Kind = "role_mailbox"
	// RoleName: so is the name.
	RoleName Kind = "role_name"
	// TwoNames: the name is that of two people.
	TwoNames Kind = "two_names"
	// ManyNames: the login had the names of several people.
	ManyNames Kind = "many_names"
)

// Evidence is one thing that speaks for several people, with its numbers.
type Evidence struct {
	Kind Kind
	// Days is on how many days of the last 30; 0 where days say nothing.
	Days int
	// Count is how many devices, computers or names; 0 where there is nothing to count.
	Count int
	// Weight is how much it says: 1 is a hint, 2 is enough to ask.
	Weight int
}

const (
	// Window is how far back is looked: a month has every pattern of shifts in it, and what
	// was mended drops out of sight in time.
	Window = 30 * 24 * time.Hour
	// enough is the weight from which on an admin is asked. One hint never is: accounts@ may
	// well be one bookkeeper, and one person may have two browsers on one computer.
	enough = 2
)

// The thresholds. Each is what one person with a telephone, a tablet and two computers
// does not reach; see the traces of the tests.
const (
	// through is how many ten minutes in a row two computers must both be used: a whole
	// hour. Whoever walks from one to the other, or carries a laptop in, is at both within
	// the same minutes, and not in every ten minutes of an hour.
	through = 6
	// Two computers on two networks, on fewdays, are two people. On one network it takes
	// manyDays: two windows of one computer look like two computers.
	fewDays  = 4
	manyDays = 10
	// computersAtOnce, handheldsAtOnce and devicesAtOnce are more than one person's two
	// hands have within ten minutes, on atOnceDays.
	computersAtOnce = 3
	handheldsAtOnce = 3
	devicesAtOnce   = 4
	atOnceDays      = 5
	// longDay is more hours of one day than somebody sits at computers; two shifts of eight
	// hours reach it. An hour counts from worked ten minutes on. On longDays: everybody has a
	// week of stocktaking.
	longDay  = 15
	longDays = 8
	worked   = 3
	// regularDays makes a computer a regular one: a browser that forgets its cookies is a new
	// one each day, and never regular. A person has few: at work, at home, at the counter.
	regularDays      = 5
	regularComputers = 5
	// crossedHint and crossedDays: once is a slip, of which people with two devices make
	// some.
	crossedHint = 2
	crossedDays = 4
	// namesHint and manyNames: one login that got another's name once was handed on.
	namesHint = 2
	manyNames = 3
)

// Judge gives what speaks for a login being used by several people; nothing if it is not
// enough to ask about. It reads no clock. More use never makes less evidence.
func Judge(t Trace) []Evidence {
	var all []Evidence
	weight := 0
	for _, e := range append(t.activity(), t.names()...) {
		if e.Weight > 0 {
			all = append(all, e)
			weight += e.Weight
		}
	}
	if weight < enough {
		return nil
	}
	return all
}

// graded is the weight of something that is a hint from one number on and enough from
// another.
func graded(n, hint, plenty int) int {
	switch {
	case n >= plenty:
		return 2
	case n >= hint:
		return 1
	}
	return 0
}

// plain is a weight that something has or has not.
func plain(weight int, ok bool) int {
	if ok {
		return weight
	}
	return 0
}

func (t Trace) activity() []Evidence {
	g := gridOf(t)
	apart, room := g.through()
	atOnce, devices := g.atOnce()
	long := g.longDays()
	regular := g.regular()
	crossed := map[int]bool{}
	for _, at := range t.Crossed {
		crossed[dayOf(session.TenOf(at), t.Zone)] = true
	}
	return []Evidence{
		{SideBySide, apart, 2, plain(2, apart >= fewDays)},
		{SameRoom, room, 2, graded(room, fewDays, manyDays)},
		{AtOnce, atOnce, devices, plain(2, atOnce >= atOnceDays)},
		{LongDays, long, longDay, plain(2, long >= longDays)},
		{ManyComputers, 0, regular, plain(1, regular >= regularComputers)},
		{Crossed, len(crossed), 0, graded(len(crossed), crossedHint, crossedDays)},
	}
}

func (t Trace) names() []Evidence {
	role := false
	for _, s := range address.Suspect(t.Login) {
		role = role || s == address.Role
	}
	unlike := len(unlike(append([]string{t.First + " " + t.Last}, t.Names...)))
	return []Evidence{
		{RoleMailbox, 0, 0, plain(1, role)},
		{RoleName, 0, 0, plain(1, placeName(t.First, t.Last))},
		{TwoNames, 0, 0, plain(2, twoNames(t.First))},
		{ManyNames, 0, unlike, graded(unlike, namesHint, manyNames)},
	}
}

// places are words that name a place or a task, and nobody.
var places = map[string]bool{
	"accounts": true, "admin": true, "bookings": true, "counter": true, "desk": true, "everyone": true, "front": true,
	"frontdesk": true, "garage": true, "mechanics": true, "office": true, "parts": true, "reception": true, "sales": true,
	"service": true, "shared": true, "shop": true, "spares": true, "staff": true, "team": true, "tyres": true,
	"user": true, "workshop": true,
}

// placeName says that every word of a name is one of those: "Front Desk", and not "Sam
// Parts".
func placeName(first, last string) bool {
	words := words(first + " " + last)
	for _, w := range words {
		if !places[w] {
			return false
		}
	}
	return len(words) > 0
}

// twoNames says that a first name joins two: "Pat & Kim", "Pat/Kim", "Pat and Kim". A
// last name may hold such words of its own.
func twoNames(first string) bool {
	fields := strings.Fields(strings.NewReplacer("&", " & ", "/", " & ", "+", " & ", ",", " & ").Replace(strings.ToLower(first)))
	for i := 1; i < len(fields)-1; i++ {
		if joins(fields[i]) && !joins(fields[i-1]) && !joins(fields[i+1]) {
			return true
		}
	}
	return false
}

func joins(word string) bool { return word == "&" || word == "and" }

// unlike are the first names of which none is the beginning of another: Rob and Robert are
// one person. A last name changes without the person.
func unlike(names []string) []string {
	var firsts []string
	for _, name := range names {
		first, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(name)), " ")
		if first == "" || places[first] {
			continue
		}
		same := false
		for i, other := range firsts {
			if strings.HasPrefix(first, other) || strings.HasPrefix(other, first) {
				same = true
				if len(first) < len(other) {
					firsts[i] = first
				}
			}
		}
		if !same {
			firsts = append(firsts, first)
		}
	}
	return firsts
}

func words(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return (r < 'a' || r > 'z') && r < 0x80 })
}
